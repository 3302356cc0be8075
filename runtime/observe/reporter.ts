import type { WireError } from '../kernel/errors.js'
import type { CellCommit } from '../placement/commit.js'
import type { RunEvent } from './events.js'

/** How an actor speaks to the troupe's main thread. Events are never dropped: who falls behind is waited for. */
export interface Reporter {
  emit(event: RunEvent): void
  /** All output streams have completed. */
  completed(): void
  failed(error: WireError): void
  /** The actor is being given a message: should it die now, this one is suspected. */
  taking(channel: number, seq: number): void
  /** What the actor has done is put away; a promise where it must not leave before that was confirmed. */
  commit(commit: CellCommit): Promise<void> | undefined
  /** True while the main thread has not taken enough of what was sent: the actor's gate is closed then. */
  readonly behind: boolean
  /** A good moment to send: a turn has ended, at `now`. */
  afterTurn(now: number): void
  /** Sends the rest; resolves when all of it was taken. */
  drain(): Promise<void>
}

/** What the main thread does with what it hears. */
export interface ReportSink {
  event(event: RunEvent): void
  completed(): void
  failed(error: WireError): void
  taking(channel: number, seq: number): void
  commit(commit: CellCommit): void
}

/** In one thread there is nothing to carry: every report arrives at once, and a commit is a copy. */
export function directReporter(sink: ReportSink): Reporter {
  return {
    emit: (event) => sink.event(event),
    completed: () => sink.completed(),
    failed: (error) => sink.failed(error),
    taking: (channel, seq) => sink.taking(channel, seq),
    commit: (commit) => {
      sink.commit(structuredClone(commit))
      return undefined
    },
    behind: false,
    afterTurn: () => {},
    drain: async () => {},
  }
}
