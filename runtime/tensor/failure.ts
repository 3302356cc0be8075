import { Tensor } from '@tensorflow/tfjs-core'
import { TroupeError } from '../kernel/errors.js'

/** An error that a traced or eager function raised, with the function's name and code `E_COMPILE`. */
export function asCompileError(name: string, error: unknown): TroupeError {
  const cause = error instanceof TroupeError && error.code === 'E_COMPILE' ? error : undefined
  const message = error instanceof Error ? error.message : String(error)
  return new TroupeError('E_COMPILE', `${name}: ${message}`, { where: cause?.where, hint: cause?.hint, cause: error })
}

/** A function must return a list of tensors, at once. */
export function checkOutputs(name: string, outputs: unknown): Tensor[] {
  const isList = Array.isArray(outputs) && outputs.length > 0 && outputs.every((output) => output instanceof Tensor)
  if (isList) return outputs
  throw new TroupeError('E_COMPILE', `${name}: the function must return a list of tensors`, {
    hint: outputs instanceof Promise ? 'It must not be async' : undefined,
  })
}

/** What went wrong with this call's data alone: the function is sound. */
export function dataError(name: string, error: unknown): TroupeError {
  const message = error instanceof Error ? error.message : String(error)
  return new TroupeError('E_BACKEND', `${name}: failed on this data: ${message}`, {
    hint: 'An index may lie outside of what it points into',
    cause: error,
  })
}
