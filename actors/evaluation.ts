import { z } from 'zod'
import { meanOf, type WinRate, winRate } from '../alignment/index.js'
import { paramLayout } from '../models/index.js'
import type { ActorContext } from '../runtime/kernel/actor.js'
import { loadGold } from './gold.js'
import { createJudgeBench, type JudgeAgreement } from './judge-bench.js'
import type { ModelSnapshot } from './messages.js'
import { openPolicy, type WrittenText } from './policy.js'
import { engineSchema, modelSchema, moduleSchema, openWorld, samplingSchema } from './shared.js'
import { readState, vectorOf } from './state.js'
import { toSequence } from './supervised.js'

export const evaluationConfig = z.strictObject({
  model: modelSchema,
  world: moduleSchema,
  gold: moduleSchema.optional().describe('the scorer, where there is one; no other role is given it'),
  engine: engineSchema.prefault({}),
  prompts: z.int().min(1).describe('held-out prompts answered by every model'),
  samples: z.int().min(1).default(4).describe('answers to each held-out prompt'),
  judgeSet: z
    .int()
    .min(0)
    .describe('held-out prompts whose answers the policy ranks as a judge; 0 where it does not judge'),
  judgments: z.int().min(1).default(3).describe('verdicts averaged'),
  sampling: samplingSchema({ temperature: 0.7, topP: 0.9, topK: 0 }),
})

export interface Evaluation {
  readonly name: string
  readonly version: number
  /** Null where there is no scorer. */
  readonly goldScore: number | null
  /** Fraction of answers that satisfy each criterion; none where there is no scorer. */
  readonly criteria: Readonly<Record<string, number>>
  /** Against M1's answers to the same prompts; M1 itself is set against a second sampling of its own. Null where nobody scores. */
  readonly againstFirst: WinRate | null
  /** Against the model before; absent for M1. */
  readonly againstPrevious?: WinRate | undefined
  readonly judge: JudgeAgreement
  /** Mean new tokens of an answer, the stop token included. */
  readonly meanLength: number
  /** Mean over answers of log π − log π_M1, in nats a sequence. */
  readonly kl: number
  readonly pairs: number
  readonly droppedTies: number
}

const points = z.array(z.array(z.number()))

const stateOf = (parameters: number) =>
  z.strictObject({
    first: z.strictObject({ params: vectorOf(parameters), points }).optional(),
    previous: points.optional(),
    judged: z.array(z.number().nullable()).optional(),
    done: z.array(
      z.custom<Evaluation>(
        (value) => typeof value === 'object' && value !== null && 'goldScore' in value && 'judge' in value,
        'not an evaluation',
      ),
    ),
  })

/** What the evaluator does with a model; it remembers the first and the previous one. */
export async function createEvaluation(context: ActorContext<z.output<typeof evaluationConfig>>) {
  const { config, random, metric, progress, record, log } = context
  const world = await openWorld(config.world)
  const gold = config.gold && (await loadGold(config.gold))
  const params = new Float32Array(paramLayout(config.model).total)
  const policy = openPolicy(config.model, world, config.engine, { params })
  const prompts = world.prompts(config.prompts, random.stream('prompts'), { heldOut: true })
  const judgeSet = gold?.judgeSet(config.judgeSet, random.stream('judge set')) ?? []
  const judging = createJudgeBench(policy, world, judgeSet, { ...config, random: random.stream('judging') })
  const done: Evaluation[] = []
  let first: { params: Float32Array; points: number[][] } | undefined
  let previous: number[][] | undefined

  /** Same streams of chance for every model, so that models differ by their weights alone. */
  async function answer(stream: string): Promise<WrittenText[][]> {
    return policy.write(
      prompts.map((prompt, i) => ({
        context: world.answerContext(prompt),
        n: config.samples,
        random: random.stream(stream, i),
      })),
      { ...config.sampling, maxNewTokens: world.limits.answer },
    )
  }

  const score = (answers: WrittenText[][]) =>
    answers.map((group, i) => (gold ? group.map(({ text }) => gold.score(prompts[i] ?? '', text)) : []))

  async function logSum(answers: WrittenText[][], from: Float32Array): Promise<number[]> {
    params.set(from)
    const rows = answers.flatMap((group, i) =>
      group.map(({ tokens }) => toSequence(policy.tokenizer, world.answerContext(prompts[i] ?? ''), tokens)),
    )
    return (await policy.model.logprobs(rows)).map((row) => row.reduce((a, b) => a + b, 0))
  }

  async function evaluate(snapshot: ModelSnapshot): Promise<Evaluation> {
    const { name, version } = snapshot
    progress(`measuring ${name}`, done.length, undefined, 'models')
    params.set(snapshot.params)
    const answers = await answer('answers')
    const scored = score(answers)
    const points = scored.map((group) => group.map((s) => s.points))
    const base = first ?? {
      params: snapshot.params.slice(),
      points: gold ? score(await answer('second sampling')).map((g) => g.map((s) => s.points)) : [],
    }
    const judge = await judging.measure()
    const own = await logSum(answers, snapshot.params)
    const reference = first ? await logSum(answers, base.params) : own
    const flat = scored.flat()
    const evaluation: Evaluation = {
      name,
      version,
      goldScore: gold ? meanOf(flat.map((s) => s.points)) : null,
      criteria: Object.fromEntries(
        (gold?.criteria ?? []).map((c, k) => [c, meanOf(flat.map((s) => Number(s.criteria[k])))]),
      ),
      againstFirst: gold ? winRate(points, base.points) : null,
      againstPrevious: gold && previous && winRate(points, previous),
      judge,
      meanLength: meanOf(answers.flat().map(({ tokens }) => tokens.length)),
      kl: meanOf(own.map((value, i) => value - (reference[i] ?? value))),
      pairs: snapshot.pairs,
      droppedTies: snapshot.droppedTies,
    }
    first ??= { params: base.params, points }
    previous = points
    done.push(evaluation)
    report(evaluation)
    return evaluation
  }

  function report(evaluation: Evaluation): void {
    const { name, goldScore, againstFirst, judge, kl, meanLength } = evaluation
    if (againstFirst) metric('eval/gold_win_rate', againstFirst.mean, { model: name })
    if (goldScore !== null) metric('eval/gold_score', goldScore, { model: name })
    if (judge.pairAccuracy !== null) metric('eval/judge_accuracy', judge.pairAccuracy, { model: name })
    metric('eval/kl', kl, { model: name })
    metric('eval/length', meanLength, { model: name })
    record('evaluation', evaluation)
    progress(`measured ${name}`, done.length, undefined, 'models')
    const scored =
      goldScore === null || againstFirst === null
        ? 'nobody scores'
        : `gold score ${goldScore.toFixed(2)}, win rate against M1 ${(100 * againstFirst.mean).toFixed(1)} %`
    log('info', `${name}: ${scored}, ${meanLength.toFixed(1)} tokens an answer, KL ${kl.toFixed(2)}`)
  }

  return {
    evaluate,
    done,
    snapshot: () => ({ first, previous, judged: judging.snapshot(), done: [...done] }),
    restore(state: unknown) {
      const read = readState('evaluator', stateOf(params.length), state)
      first = read.first
      previous = read.previous
      judging.restore(read.judged)
      done.splice(0, done.length, ...read.done)
    },
    dispose: () => policy.dispose(),
  }
}
