import type { ActorDefinition } from '../kernel/actor.js'
import type { ReportSink } from '../observe/reporter.js'
import type { WeightStoreHandle } from '../tensor/weights.js'
import type { CellState } from './commit.js'
import type { Control } from './control.js'

/** Everything that an actor needs to start anywhere; plain data and shared memory. */
export interface CellSpec {
  readonly name: string
  readonly role: string
  readonly replica: number
  readonly replicas: number
  readonly module: string
  readonly config: unknown
  readonly seed: number
  readonly weights?: WeightStoreHandle | undefined
  /** It may be restarted, or the run resumed: it puts away what it has done before anything of it leaves. */
  readonly commits: boolean
  /** The others may go on without it: when it fails, they hear of it by the troupe, which gives its work to its siblings. */
  readonly outlived?: boolean | undefined
  /** Everything that it sends, takes, answers and puts away goes through the codec of processes, wherever it lives. */
  readonly remote?: boolean | undefined
  /** Where it goes on. */
  readonly resume?: CellState | undefined
  /** Messages that it is not given any more, because they have ended it too often. */
  readonly aside?: readonly { readonly channel: number; readonly seq: number }[] | undefined
}

export interface HostSink extends ReportSink {
  /** The place that the actor lived in is gone; by its own will where it ended without an error. */
  died(error: Error, ownWill?: boolean): void
}

/** A place that one actor lives in. */
export interface Host<H> {
  readonly control: Control<H>
  /** Ends the place, whatever it is doing; `E_DEADLINE` when it cannot be ended in time. */
  kill(deadlineMs: number): Promise<void>
}

/** Where actors live. `H` is one end of a wire, as this stage hands it out. */
export interface Stage<H> {
  /** Actors are started one after another instead of all at once. */
  readonly sequential: boolean
  host(spec: CellSpec, definition: ActorDefinition, sink: HostSink): Host<H>
  /** The two ends of a new wire between two actors, by their names. */
  pair(from: string, to: string): readonly [H, H]
  /** Frees everything; actors that have not been disposed of are ended. */
  close(deadlineMs: number): Promise<void>
}
