import { z } from 'zod'
import type { Json } from './read.js'

const rate = z.object({ mean: z.number(), low: z.number(), high: z.number() })

/** What `evaluation.jsonl` says of a model beyond the summary. */
const evaluationSchema = z.object({
  name: z.string(),
  /** Fraction of answers that satisfy each criterion of the gold scorer. */
  criteria: z.record(z.string(), z.number()),
  /** Gold win rate against the model before; absent for the first. */
  againstPrevious: rate.optional(),
  judge: z.object({ unreadable: z.number() }),
})

export type EvaluationLine = z.output<typeof evaluationSchema>

/** A line's evaluation; nothing where a scenario writes something else there. */
export function evaluationOf(line: Json): EvaluationLine[] {
  const read = evaluationSchema.safeParse(line.value)
  return read.success ? [read.data] : []
}
