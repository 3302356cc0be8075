import { z } from 'zod'
import { TroupeError } from '../kernel/errors.js'

/** What virtual time costs where nothing is said. */
export const timeDefaults = {
  /** Length of a turn. */
  turnMs: 1,
  /** Latency of a connection. */
  linkMs: 0,
} as const

/** Of a lognormal distribution p95 / mean is greatest at σ = 1.645, where it is e^(1.645² / 2). */
const MAX_LOGNORMAL_RATIO = 3.86

const ms = number(0)
const straggler = z
  .strictObject(
    {
      probability: number(0, 1).describe('how often it happens'),
      factor: number(1).describe('how many times as long it takes then'),
    },
    '{ probability, factor }',
  )
  .optional()
  .describe('a part of them takes much longer')

const perItem = text('the name of an attribute')
  .optional()
  .describe('name of a turn’s attribute: the length is that of one item, and is multiplied by the attribute')
const more = { perItem, straggler }

function number(least: number, most?: number) {
  const error = most === undefined ? `a number of at least ${least}` : `a number between ${least} and ${most}`
  const atLeast = z.number(error).min(least, error)
  return most === undefined ? atLeast : atLeast.max(most, error)
}

function text(error: string) {
  return z.string(error).min(1, error)
}

/** The distributions that need no recording. */
const drawn = [
  z.strictObject({ distribution: z.literal('constant'), ms, ...more }),
  z
    .strictObject({ distribution: z.literal('uniform'), minMs: ms, maxMs: ms, ...more })
    .refine(({ minMs, maxMs }) => maxMs >= minMs, { path: ['maxMs'], error: 'a number of at least minMs' }),
  z.strictObject({ distribution: z.literal('exponential'), meanMs: ms, ...more }),
  z
    .strictObject({ distribution: z.literal('lognormal'), meanMs: ms, p95Ms: ms, ...more })
    .refine(({ meanMs, p95Ms }) => meanMs > 0 && p95Ms >= meanMs && p95Ms <= MAX_LOGNORMAL_RATIO * meanMs, {
      path: ['p95Ms'],
      error: `a number between meanMs, which is above 0, and ${MAX_LOGNORMAL_RATIO} · meanMs`,
    }),
  z
    .strictObject({ distribution: z.literal('normal'), meanMs: ms, p95Ms: ms, ...more })
    .refine(({ meanMs, p95Ms }) => p95Ms >= meanMs, { path: ['p95Ms'], error: 'a number of at least meanMs' }),
] as const
const recorded = z.strictObject({
  distribution: z.literal('recorded'),
  recorded: text('the path of a run folder'),
  ...more,
})
const NAMES = '"constant", "uniform", "exponential", "lognormal" or "normal"'

/** `5` and `{ ms: 5 }` are constants; `{ recorded: … }` is a recording. */
function withDistribution(value: unknown): unknown {
  if (typeof value === 'number') return { distribution: 'constant', ms: value }
  if (typeof value !== 'object' || value === null || 'distribution' in value) return value
  if ('ms' in value) return { distribution: 'constant', ...value }
  if ('recorded' in value) return { distribution: 'recorded', ...value }
  return value
}

/**
 * How long a turn takes in virtual time:
 * a number or `{ ms }`: always the same;
 * `{ distribution: 'uniform', minMs, maxMs }`; `{ distribution: 'exponential', meanMs }`;
 * `{ distribution: 'lognormal', meanMs, p95Ms }`: 5 % take longer than p95Ms, which is at most 3.86 · meanMs;
 * `{ distribution: 'normal', meanMs, p95Ms }`: of the normal distribution before what is below 0 is drawn anew;
 * `{ recorded: path }`: one of the lengths that turns of this role and name had in the run folder or `trace.json`.
 * With `perItem: attribute` it is the length of one item (a recorded turn is divided by its own attribute), with
 * `straggler: { probability, factor }` some take `factor` times as long.
 */
const costSchema = z.preprocess(
  withDistribution,
  z.discriminatedUnion('distribution', [...drawn, recorded], {
    error: `a number, { ms }, { recorded } or a distribution: ${NAMES}`,
  }),
)

/** How long a message is under way, in the same words; there are no items to scale it by, and no recording of it. */
const latencySchema = z.preprocess(
  withDistribution,
  z
    .discriminatedUnion('distribution', drawn, { error: `a number, { ms } or a distribution: ${NAMES}` })
    .refine((latency) => latency.perItem === undefined, {
      path: ['perItem'],
      error: 'left out: a message has no items',
    }),
)

/**
 * Costs of turns. A key says whose: an actor's name (`sampler`, all its replicas, or `sampler/1`), a role, or `*`, each
 * optionally with a turn's name (`learner:update`). An actor comes before its role and a role before `*`; of the same
 * owner the key with the turn's name comes first. Default: {@link timeDefaults}.turnMs.
 */
export const costsSchema = z.record(
  z.string().regex(/^[^:]+(:[^:]+)?$/, 'an actor, a role or *, optionally with :turn'),
  costSchema,
  'a table of costs by actor, role or *',
)

/**
 * Latencies of connections, by `from->to`: names of actors (all their replicas, or `sampler/1`), in which `*` stands
 * for any characters. The key with the most other characters comes first. Default: {@link timeDefaults}.linkMs.
 */
export const linksSchema = z.record(
  z.string().regex(/^[^>]+->[^>]+$/, 'of the form from->to'),
  latencySchema,
  'a table of latencies by from->to',
)

export type Cost = z.output<typeof costSchema>
export type Latency = z.output<typeof latencySchema>
export type CostsConfig = Readonly<Record<string, z.input<typeof costSchema>>>
export type LinksConfig = Readonly<Record<string, z.input<typeof latencySchema>>>

/** The checked configuration; `E_CONFIG` names the first key that is wrong. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const where = [what, ...issue.path.map(String)].join('.')
  if (issue.code === 'unrecognized_keys')
    throw new TroupeError('E_CONFIG', `"${where}" has an unknown key "${issue.keys[0]}"`)
  if (issue.code === 'invalid_key') {
    throw new TroupeError('E_CONFIG', `"${where}" is a wrong key: it must be ${issue.issues[0]?.message}`)
  }
  throw new TroupeError('E_CONFIG', `"${where}" must be ${issue.message}`)
}
