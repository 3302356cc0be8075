import { TroupeError, type TroupeErrorCode } from '../runtime/kernel/errors.js'

/** How the command ends: 128 + n when signal n ended it. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

const USAGE: readonly TroupeErrorCode[] = ['E_CONFIG', 'E_DATA', 'E_CHECKPOINT', 'E_JOURNAL']

/** 2 where the person can mend what they gave, also where it is an actor that found the fault; else 1. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof TroupeError)) return EXIT.failed
  if (error.code === 'E_ACTOR_FAILED') return exitCodeOf(error.cause)
  return USAGE.includes(error.code) ? EXIT.usage : EXIT.failed
}

/** What a person reads of an error: one sentence; the stack follows only with TROUPE_DEBUG=1. */
export function describeError(error: unknown, environment: NodeJS.ProcessEnv = process.env): string {
  const sentence =
    error instanceof TroupeError ? error.sentence() : error instanceof Error ? error.message : String(error)
  const stack = environment.TROUPE_DEBUG === '1' && error instanceof Error ? `\n${error.stack}` : ''
  return `troupe: ${sentence || 'failed without a reason'}${stack}`
}
