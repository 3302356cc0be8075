import { z } from 'zod'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { assert } from '../runtime/kernel/errors.js'
import { type Dispute, disputeOf, judgmentsOf, opinionOf, settle } from './judgment-battles.js'
import type { JudgedBatch, JudgedGroup, JudgePair } from './messages.js'
import { openPolicy } from './policy.js'
import { engineSchema, loadWorld, modelSchema, moduleSchema, samplingSchema } from './shared.js'
import { count, readState } from './state.js'

const config = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  engine: engineSchema.prefault({}),
  iterations: z.int().min(0).default(2).describe('iterations whose judgments are compared; later ones pass through'),
  maxJudgment: z.int().min(1).optional().describe('tokens; a judge pair whose chosen judgment is longer is dropped'),
  sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
  deadlineMs: z.number().positive().default(600_000).describe('longest wait for the version that judged a batch'),
})

const stateSchema = z.strictObject({
  ...{ disputes: count, compared: count, unreadable: count, first: count, tokens: count },
  ...{ pairs: count, higher: count, ties: count, long: count },
})

/**
 * The policy as a judge of its own judgments (Meta-Rewarding, Wu et al. 2024, arXiv:2407.19594). Of each prompt it takes the
 * answer whose scores vary most, compares every two of its judgments in both orders, and rates them by Elo; the best one
 * against the worst is a pair that the learner trains on. Needs judgments with their texts; hands them on without.
 * Where all scores of every answer agree there is nothing to compare.
 */
export const metaJudge = defineActor({
  module: import.meta.url,
  role: 'meta-judge',
  inputs: { judged: port<JudgedBatch>() },
  outputs: { judged: port<JudgedBatch>() },
  config,
  async start({ config, weights, random, turn, signal, metric, progress }) {
    const world = await loadWorld(config.world)
    const { metaContext, readPreference } = world
    const maxNewTokens = world.limits.preference
    assert(metaContext && readPreference && maxNewTokens, `world ${world.name} has people who compare judgments`)
    const { maxJudgment = world.limits.verdict } = config
    const policy = openPolicy(config.model, world, config.engine, { weights })
    const counts: z.output<typeof stateSchema> = {
      ...{ disputes: 0, compared: 0, unreadable: 0, first: 0, tokens: 0 },
      ...{ pairs: 0, higher: 0, ties: 0, long: 0 },
    }

    /** Every two judgments of a dispute in both orders; one opinion a battle, in their order. */
    async function battle(disputes: readonly Dispute[]) {
      const requests = disputes.flatMap(({ group, answer, players, battles }) =>
        battles.map(({ first, second }) => ({
          context: metaContext!(group.prompt, answer, players[first]!.text, players[second]!.text),
          n: 1,
          random: random.stream(group.promptId, first, second),
        })),
      )
      if (requests.length === 0) return []
      const written = await policy.write(requests, { ...config.sampling, maxNewTokens: maxNewTokens! })
      return written.map(([completion]) => {
        counts.tokens += completion?.tokens.length ?? 0
        return opinionOf(readPreference!(completion?.text ?? ''))
      })
    }

    async function compare(batch: JudgedBatch): Promise<JudgedBatch> {
      if (batch.iteration >= config.iterations) return { ...batch, groups: batch.groups.map(judgmentsOf) }
      policy.follow()
      const disputes = batch.groups.flatMap((group) => disputeOf(group) ?? [])
      const opinions = await battle(disputes)
      const pairs = new Map<JudgedGroup, JudgePair>()
      let next = 0
      for (const dispute of disputes) {
        const own = opinions.slice(next, next + dispute.battles.length)
        next += own.length
        const outcome = settle(dispute, own, maxJudgment)
        if (outcome === 'tie') counts.ties++
        else if (outcome === 'long') counts.long++
        else {
          const { chosen, rejected } = outcome
          pairs.set(dispute.group, {
            context: world.judgeContext(dispute.group.prompt, dispute.answer),
            chosen,
            rejected,
          })
          counts.pairs++
          if (chosen.score! > rejected.score!) counts.higher++
        }
      }
      counts.disputes += disputes.length
      counts.compared += opinions.length
      counts.unreadable += opinions.filter((opinion) => opinion === 'invalid').length
      counts.first += opinions.filter((opinion) => opinion === 'first').length
      report()
      return {
        ...batch,
        groups: batch.groups.map((group) => {
          const pair = pairs.get(group)
          return { ...judgmentsOf(group), judgePairs: pair ? [pair] : [] }
        }),
      }
    }

    function report(): void {
      const readable = counts.compared - counts.unreadable
      metric('meta/pairs', counts.pairs)
      metric('meta/dropped', counts.ties, { reason: 'tie' })
      metric('meta/dropped', counts.long, { reason: 'long' })
      metric('meta/unreadable', counts.unreadable)
      metric('meta/first_rate', counts.first / Math.max(1, readable))
      metric('meta/higher_score_rate', counts.higher / Math.max(1, counts.pairs))
      progress('comparing judgments', counts.compared, undefined, 'comparisons')
    }

    return {
      streams: ({ judged }) => ({
        judged: judged.pipe(
          turn(compare, {
            // it is never older than the judge: to another process a version may come later than what it wrote
            ready: async ({ groups }) => {
              const newest = Math.max(-1, ...groups.map(({ judgeVersion }) => judgeVersion.end))
              await weights.atLeast(newest, { deadlineMs: config.deadlineMs, signal })
            },
            attributes: ({ id, iteration, groups }) => ({ batch: id, iteration, prompts: groups.length }),
          }),
        ),
      }),
      api: { counts: () => counts },
      snapshot: () => ({ ...counts }),
      restore: (state) => void Object.assign(counts, readState('meta-judge', stateSchema, state)),
      /** Its scores are as good as before. */
      setAside(_input, message) {
        const batch = message as JudgedBatch
        return { judged: { ...batch, groups: batch.groups.map(judgmentsOf) } satisfies JudgedBatch }
      },
      stop: () => policy.dispose(),
    }
  },
})
