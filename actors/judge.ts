import { z } from 'zod'
import { meanVerdict } from '../alignment/index.js'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import type { AnsweredPrompt } from './label-table.js'
import { labelGroups, labelSchema } from './labelling.js'
import type { CandidateBatch, JudgedBatch, JudgedGroup, Judgment, WrittenJudgment } from './messages.js'
import { openPolicy, type Policy, type WrittenText } from './policy.js'
import type { Rater } from './rater.js'
import { engineSchema, loadWorld, modelSchema, moduleSchema, samplingSchema } from './shared.js'
import { count, readState } from './state.js'
import type { Verdict, World } from './world.js'

const config = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  judgments: z.int().min(1).max(64).default(3).describe('verdicts averaged for each completion'),
  sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
  keepTexts: z
    .boolean()
    .default(false)
    .describe('hands on what was written, with tokens and log-probabilities: messages are several times larger'),
  deadlineMs: z.number().positive().default(600_000).describe('longest wait for the version that wrote a batch'),
})

const stateSchema = z.strictObject({ judged: count, verdicts: count, unreadable: count, tokens: count })

/**
 * The policy as its own judge (LLM-as-a-judge): an additive five-point prompt, several sampled verdicts averaged. A
 * verdict that cannot be read is dropped and counted, never scored 0.
 * Equal answers to a prompt share their verdicts, so they always tie.
 */
export const judge = defineActor({
  module: import.meta.url,
  role: 'judge',
  inputs: { candidates: port<CandidateBatch>() },
  outputs: { judged: port<JudgedBatch>() },
  config,
  async start({ config, weights, random, turn, signal, metric, progress }) {
    const world = await loadWorld(config.world)
    const policy = openPolicy(config.model, world, config.engine, { weights })
    const counts = { judged: 0, verdicts: 0, unreadable: 0, tokens: 0 }

    async function judgeBatch(batch: CandidateBatch): Promise<JudgedBatch> {
      const version = policy.follow() // read before the work, never after
      const judgments = await judgeGroups(policy, world, batch.groups, {
        ...config,
        random,
        onTokens: (tokens) => {
          counts.tokens += tokens
        },
      })
      const groups = batch.groups.map(
        (group, i): JudgedGroup => ({
          ...group,
          judgments: judgments[i] ?? [],
          judgeVersion: { start: version, end: version },
        }),
      )
      const all = groups.flatMap((group) => group.judgments)
      counts.judged += all.length
      counts.verdicts += all.reduce((sum, j) => sum + j.verdicts.length, 0)
      counts.unreadable += all.reduce((sum, j) => sum + j.unreadable, 0)
      const scores = all.flatMap((j) => (j.score === undefined ? [] : [j.score]))
      metric('judge/score', scores.reduce((sum, s) => sum + s, 0) / Math.max(1, scores.length))
      metric('judge/unreadable', counts.unreadable)
      progress('judging', counts.judged, undefined, 'answers')
      return { ...batch, groups }
    }

    return {
      streams: ({ candidates }) => ({
        judged: candidates.pipe(
          turn(judgeBatch, {
            // a judge is never older than the writer: to another process a version may come later than what it wrote
            ready: async ({ groups }) => {
              const newest = Math.max(-1, ...groups.map(({ version }) => version.end))
              await weights.atLeast(newest, { deadlineMs: config.deadlineMs, signal })
            },
            attributes: ({ id, iteration, groups }) => ({ batch: id, iteration, prompts: groups.length }),
          }),
        ),
      }),
      api: { counts: () => counts },
      snapshot: () => ({ ...counts }),
      restore: (state) => void Object.assign(counts, readState('judge', stateSchema, state)),
      setAside(_input, message) {
        const batch = message as CandidateBatch
        const abandoned = [...(batch.abandoned ?? []), ...batch.groups.map(({ promptId }) => promptId)]
        return { judged: { ...batch, groups: [], abandoned } satisfies JudgedBatch }
      },
      stop: () => policy.dispose(),
    }
  },
})

export interface JudgeOptions {
  readonly judgments: number
  readonly sampling: { readonly temperature: number; readonly topP: number; readonly topK: number }
  readonly random: Random
  readonly keepTexts?: boolean
  readonly onTokens?: (tokens: number) => void
}

const POINTS = labelSchema.parse({ by: 'points' })

/** Judgments for each completion of each group; texts only are looked at. */
export async function judgeGroups(
  policy: Policy,
  world: World,
  groups: readonly AnsweredPrompt[],
  options: JudgeOptions,
): Promise<(readonly Judgment[])[]> {
  const labelled = await labelGroups(policyRater(policy, world, options), groups, POINTS, options.random)
  return labelled.map(({ judgments }) => judgments)
}

/** A policy asked for points; it has learnt no other way to judge. */
function policyRater(policy: Policy, world: World, options: JudgeOptions): Rater {
  const { judgments, sampling, keepTexts, onTokens } = options
  return {
    async score(questions) {
      const written = await policy.write(
        questions.map(({ prompt, answer, random }) => ({
          context: world.judgeContext(prompt, answer),
          n: judgments,
          random,
        })),
        { ...sampling, maxNewTokens: world.limits.verdict },
      )
      return questions.map((_, i): Judgment => {
        const verdicts = (written[i] ?? []).map((completion) => {
          onTokens?.(completion.tokens.length)
          return world.readVerdict(completion.text)
        })
        const readable = verdicts.flatMap((verdict) => (verdict.readable ? [verdict.score] : []))
        const judgment = { verdicts: readable, unreadable: verdicts.length - readable.length }
        const texts = keepTexts ? { texts: textsOf(written[i] ?? [], verdicts) } : {}
        return { score: meanVerdict(readable), ...judgment, ...texts }
      })
    },
    compare: () =>
      Promise.reject(
        new TroupeError('E_CONFIG', 'the policy as its own judge scores answers, it does not compare them'),
      ),
  }
}

function textsOf(written: readonly WrittenText[], verdicts: readonly Verdict[]): WrittenJudgment[] {
  return written.map(({ text, tokens, logprobs }, i) => {
    const verdict = verdicts[i]
    return { text, tokens, logprobs, score: verdict?.readable ? verdict.score : undefined }
  })
}
