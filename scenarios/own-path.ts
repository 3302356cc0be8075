import { resolve } from 'node:path'
import { z } from 'zod'

/** The path of a file or folder of one's own; absolute, so that a run can be run again from anywhere. */
export const ownPath = z
  .string()
  .min(1)
  .transform((path) => resolve(path))
