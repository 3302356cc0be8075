import type { ActorDefinition } from '../kernel/actor.js'
import type { ReportSink } from '../observe/reporter.js'
import type { WeightStoreHandle } from '../tensor/weights.js'
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
}

export interface HostSink extends ReportSink {
  /** The place that the actor lived in is gone. */
  died(error: Error): void
}

/** Where actors live. `H` is one end of a wire, as this stage hands it out. */
export interface Stage<H> {
  /** Actors are started one after another instead of all at once. */
  readonly sequential: boolean
  host(spec: CellSpec, definition: ActorDefinition, sink: HostSink): Control<H>
  /** A new wire's two ends. */
  pair(): readonly [H, H]
  /** Frees everything; actors that have not been disposed of are ended. */
  close(deadlineMs: number): Promise<void>
}
