import { TroupeError } from './errors.js'

export function isLate(error: unknown): error is TroupeError {
  return error instanceof TroupeError && error.code === 'E_DEADLINE'
}

/** What the troupe says of a failure of an actor; its own error is the cause. */
export function actorFailed(name: string, cause: unknown): TroupeError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new TroupeError('E_ACTOR_FAILED', `${name} failed: ${message}`, { where: name, cause })
}
