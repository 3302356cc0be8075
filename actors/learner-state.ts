import { z } from 'zod'
import { headLayout, paramLayout } from '../models/index.js'
import { LAG_KINDS } from './lag-book.js'
import type { LearnerConfig } from './learner-config.js'
import type { JudgedBatch, JudgedGroup } from './messages.js'
import { packedSequences } from './sequence-pack.js'
import { count, vectorOf } from './state.js'

const written = z.looseObject({ tokens: z.instanceof(Int32Array), logprobs: z.instanceof(Float32Array) })
const judgePair = z.looseObject({ context: z.string(), chosen: written, rejected: written })
const groupFields = z.looseObject({
  promptId: z.string(),
  completions: z.array(z.looseObject({ tokens: z.instanceof(Int32Array) })),
  judgments: z.array(z.looseObject({ score: z.number().optional() })),
  judgePairs: z.array(judgePair).optional(),
  version: z.strictObject({ start: z.int(), end: z.int() }),
  judgeVersion: z.strictObject({ start: z.int(), end: z.int() }),
})
const group = z.custom<JudgedGroup>((value) => groupFields.safeParse(value).success, 'not a judged group')
const batchFields = z.looseObject({
  ...{ id: count, iteration: count, update: count },
  ...{ lastOfUpdate: z.boolean(), lastOfIteration: z.boolean() },
  groups: z.array(groupFields),
  abandoned: z.array(z.string()).optional(),
})
const batch = z.custom<JudgedBatch>((value) => batchFields.safeParse(value).success, 'not a judged batch')
const lags = z.map(z.int(), count).readonly()

/** What objectives know beside weights and moments; replayed items are each objective's own. */
const further = z.strictObject({
  replay: z.strictObject({ iteration: z.int(), rounds: z.map(count, z.array(z.unknown()).readonly()).readonly() }),
  shift: z.number().optional(),
})

/** All that a learner needs to go on; made by its training, see there. */
export function learnerStateOf(config: LearnerConfig) {
  const params = vectorOf(paramLayout(config.model).total)
  const optimizer = z.strictObject({ step: count, m: params, v: params })
  const moment = z.union([params, vectorOf(headLayout(config.model, 'value').total)])
  const moments = z.strictObject({ step: count, m: moment, v: moment })
  const state = z.strictObject({
    params,
    version: count,
    iteration: z.int().min(-1),
    /** The last published version and its weights. */
    published: z.strictObject({ version: count, params }).optional(),
    /** Absent once supervised training is over. */
    supervised: z.strictObject({ batches: count, chunks: count, steps: count, optimizer }).optional(),
    /** Absent before. */
    objective: z
      .strictObject({
        phase: z.int().min(0).lt(config.training.length),
        objective: z.strictObject({
          reference: params,
          optimizer: moments,
          flat: moment.optional(),
          further,
        }),
        first: params.optional(),
      })
      .optional(),
    grown: z.array(group).readonly(),
    pool: packedSequences,
    trained: z.strictObject({ sftTokens: count, tokens: count, examples: count }),
    intake: z.strictObject({ next: count, waiting: z.array(batch).readonly(), held: z.array(batch).readonly() }),
    duplicates: count,
    samples: z.strictObject({
      ledger: z.strictObject({
        inFlight: z.array(z.string()).readonly(),
        settled: z.array(z.string()).readonly(),
        consumed: count,
        dropped: z.record(z.string(), count).readonly(),
      }),
      lags: z.strictObject(eachLagKind()),
      pairs: count,
      droppedTies: count,
    }),
  })
  return state.refine(({ supervised, objective }) => (supervised === undefined) !== (objective === undefined), {
    error: 'it is of both phases of training, or of none',
  })
}
export type LearnerState = z.output<ReturnType<typeof learnerStateOf>>

function eachLagKind() {
  return Object.fromEntries(LAG_KINDS.map((kind) => [kind, lags])) as Record<(typeof LAG_KINDS)[number], typeof lags>
}
