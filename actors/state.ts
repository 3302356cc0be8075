import type { Observable } from 'rxjs'
import { z } from 'zod'
import { TroupeError } from '../runtime/kernel/errors.js'

/** A whole number from 0. */
export const count = z.int().min(0)

/** One float32 vector of a model, of exactly this length. */
export const vectorOf = (length: number) =>
  z.custom<Float32Array>(
    (value) => value instanceof Float32Array && value.length === length,
    `not a float32 vector of ${length} elements`,
  )

/** A snapshot's state, checked; `E_JOURNAL` names the role and the first key that is wrong. */
export function readState<S extends z.ZodType>(role: string, schema: S, state: unknown): z.output<S> {
  const read = schema.safeParse(state)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const key = issue?.path.join('.') || 'state'
  throw new TroupeError('E_JOURNAL', `the snapshot of the ${role} cannot be used: ${key}: ${issue?.message}`, {
    where: role,
    hint: 'It was made by another version or configuration: resume with those that the run began with',
    cause: read.error,
  })
}

/** Lets an input go that a restored actor has no use for any more: left alone it would hold its sender. */
export function unwanted(input: Observable<unknown>): void {
  input.subscribe().unsubscribe()
}
