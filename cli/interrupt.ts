import { constants } from 'node:os'
import { TroupeError } from '../runtime/kernel/errors.js'

export interface Interrupt {
  /** Aborted by the first signal, with an `E_STOPPED` that says which. */
  readonly signal: AbortSignal
  /** 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP; undefined while nothing came. */
  exitCode(): number | undefined
  dispose(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** npm forwards to its child what the terminal has sent to both: one key press arrives twice, within milliseconds. */
const ECHO_MS = 400

/** A run that does not stop cleanly in this time is ended. */
const GRACE_MS = 30_000

/**
 * Listens for signals: the first asks the run to stop, a second (or a run that does not stop in 30 s) ends the process
 * at once, by that signal (a shell sees the same exit code), after `last` has written what there is.
 */
export function listenForInterrupt(handlers: { stopping(): void; last(): void }, now: () => number): Interrupt {
  const controller = new AbortController()
  let first: { at: number; exitCode: number } | undefined
  let grace: NodeJS.Timeout | undefined
  // Not process.exit: it ends the threads one by one, and a thread in the middle of native work aborts the process.
  const end = (name: NodeJS.Signals) => {
    handlers.last()
    process.removeAllListeners(name)
    process.kill(process.pid, name)
  }
  const onSignal = (name: NodeJS.Signals) => {
    if (first) {
      if (now() - first.at > ECHO_MS) end(name)
      return
    }
    const exitCode = 128 + constants.signals[name]
    first = { at: now(), exitCode }
    grace = setTimeout(() => end(name), GRACE_MS).unref()
    handlers.stopping()
    const how = name === 'SIGINT' ? 'Ctrl-C' : name
    controller.abort(new TroupeError('E_STOPPED', `the run was stopped by ${how} before it finished`))
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  return {
    signal: controller.signal,
    exitCode: () => first?.exitCode,
    dispose() {
      clearTimeout(grace)
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}
