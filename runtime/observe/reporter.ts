import type { WireError } from '../kernel/errors.js'
import type { RunEvent } from './events.js'

/** How an actor speaks to the troupe's main thread. Events are never dropped: who falls behind is waited for. */
export interface Reporter {
  emit(event: RunEvent): void
  /** All output streams have completed. */
  completed(): void
  failed(error: WireError): void
  /** True while the main thread has not taken enough of what was sent: the actor's gate is closed then. */
  readonly behind: boolean
  /** A good moment to send: a turn has ended. */
  afterTurn(): void
  /** Sends the rest; resolves when all of it was taken. */
  drain(): Promise<void>
}

/** What the main thread does with what it hears. */
export interface ReportSink {
  event(event: RunEvent): void
  completed(): void
  failed(error: WireError): void
}

/** In one thread there is nothing to carry: every report arrives at once. */
export function directReporter(sink: ReportSink): Reporter {
  return {
    emit: (event) => sink.event(event),
    completed: () => sink.completed(),
    failed: (error) => sink.failed(error),
    behind: false,
    afterTurn: () => {},
    drain: async () => {},
  }
}
