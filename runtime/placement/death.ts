import { TroupeError } from '../kernel/errors.js'

/** What a process is ended by when its native code goes wrong. */
const NATIVE: ReadonlySet<string> = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'])

export interface Death {
  readonly name: string
  readonly code: number | null
  readonly signal: string | null
  /** Why it never ran. */
  readonly notStarted?: Error | undefined
  /** The last lines that the process wrote to its stderr. */
  readonly lastWords: readonly string[]
}

/** Why the process of an actor has ended, and what to do about it. */
export function processDeath({ name, code, signal, notStarted, lastWords }: Death): TroupeError {
  if (notStarted) {
    return new TroupeError('E_HOST_DIED', `the process of ${name} could not be started: ${notStarted.message}`, {
      where: name,
      hint: 'The machine may have too many processes or too little memory',
      cause: notStarted,
    })
  }
  const said = lastWords.length === 0 ? '' : `; its last words were: ${lastWords.join(' | ')}`
  if (signal !== null && NATIVE.has(signal)) {
    return new TroupeError(
      'E_HOST_ABORTED',
      `the process of ${name} was aborted by its native code (${signal})${said}`,
      {
        where: name,
        hint: 'A native library crashed, or JavaScript ran out of heap (raise --max-old-space-size): see the log of the actor',
      },
    )
  }
  if (signal !== null) {
    return new TroupeError('E_HOST_DIED', `the process of ${name} was ended by ${signal}${said}`, {
      where: name,
      hint: signal === 'SIGKILL' ? 'Somebody killed it, or the machine ran out of memory' : 'Somebody ended it',
    })
  }
  return new TroupeError('E_HOST_DIED', `the process of ${name} exited with code ${code}${said}`, {
    where: name,
    hint: 'An actor must not call process.exit()',
  })
}
