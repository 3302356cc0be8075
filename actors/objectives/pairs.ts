import { effectiveSampleSize, type PairCorrection, preferenceLoss, preferenceObjective } from '../../alignment/index.js'
import { createTrainer } from '../../models/index.js'
import type { TokenSequence, TrainingExtra } from '../../models/types.js'
import { TroupeError } from '../../runtime/kernel/errors.js'
import type { JudgedGroup, Writer } from '../messages.js'
import type { GroupOutcome } from '../selection.js'
import { toSequence } from '../supervised.js'
import type { TrainingConfig } from '../training-config.js'
import { correctionOf, createBase, optimizerOf } from './base.js'
import {
  chunks,
  type Objective,
  type ObjectiveContext,
  resultOf,
  sumOf,
  unwritten,
  vector,
  type Written,
} from './objective.js'

interface Pair {
  /** What was read before either side was written. */
  readonly context: string
  readonly chosen: Written
  readonly rejected: Written
  /** Where people wrote it. */
  readonly people: Written | undefined
  /** Which of the two the first model wrote, where one of them is its. */
  readonly ofFirst: 'chosen' | 'rejected' | undefined
}

/** How fast BCO's shift follows the implicit rewards. */
const SHIFT_RATE = 0.1

/**
 * Any loss over pairs. A step takes up to P pairs; its rows are [chosen × P, rejected × P, mismatched × P where the loss asks for
 * them, and what is mixed in].
 */
export function createPairs(context: ObjectiveContext): Objective {
  const { config, training, params, tokenizer, world, demonstrations } = context
  const loss = preferenceLoss(training.loss)
  const capacity = training.rowsPerStep ?? config.promptsPerUpdate
  const { mix, behaviour } = training
  const mixRows = mix.coefficient === 0 ? 0 : mix.from === 'demonstrations' ? mix.rows : capacity
  const objective = preferenceObjective({
    loss,
    pairs: capacity,
    nllRows: mixRows,
    nllCoefficient: mix.coefficient,
    nllPer: mix.per,
    coefficient: training.coefficient,
    behaviour,
    correction: pairCorrectionOf(training),
  })
  const trainer = createTrainer(config.model, params, objective.loss, {
    optimizer: optimizerOf(config, training, 0),
    engine: config.engine,
    rows: objective.rows,
  })
  const base = createBase<Pair>(context, trainer, 3 * capacity)
  const padding = unwritten({ tokens: Int32Array.of(config.model.bosTokenId), promptLength: 1 })
  let shift = 0

  const judgePairsOf = ({ judgePairs = [] }: JudgedGroup): Pair[] =>
    judgePairs.map(({ context, chosen, rejected }) => ({
      context,
      chosen: base.writtenAfter(context, chosen),
      rejected: base.writtenAfter(context, rejected),
      people: undefined,
      ofFirst: undefined,
    }))

  const pairsOf = ({ group, selected }: GroupOutcome): Pair[] => {
    if (!('pairs' in selected)) return []
    const people = group.completions.findIndex(({ writer }) => writer === 'people')
    return selected.pairs.map(({ chosen, rejected }) => ({
      context: world.answerContext(group.prompt),
      chosen: base.written(group, chosen),
      rejected: base.written(group, rejected),
      people: people < 0 ? undefined : base.written(group, people),
      ofFirst: firstOf(group.completions[chosen]?.writer, group.completions[rejected]?.writer),
    }))
  }

  /**
   * Each prompt with the chosen completion of the next pair of another prompt: what the policy thinks of an answer to something else.
   * With one prompt alone there is none, and nothing is written for it: a log-ratio of 0.
   */
  const mismatchedOf = (pairs: readonly Pair[]): Written[] =>
    pairs.map(({ context }, i) => {
      const other = [...pairs.slice(i + 1), ...pairs.slice(0, i)].find((pair) => pair.context !== context)
      if (!other) return padding
      const { tokens, promptLength } = other.chosen.sequence
      return unwritten(toSequence(tokenizer, context, tokens.slice(promptLength)))
    })

  /** 1 where the first model wrote the chosen completion, 0 where it wrote the rejected one. */
  function sideOf({ ofFirst }: Pair): number {
    if (!ofFirst && loss.needs.includes('referenceSide'))
      throw new TroupeError(
        'E_CONFIG',
        `the loss ${loss.name} needs a completion that the first model wrote in each pair`,
        {
          where: 'learner',
          hint: 'Let the policy and the first model write: sampler.writers=[{"by":"policy"},{"by":"first"}]',
        },
      )
    return Number(ofFirst === 'chosen')
  }

  function mixed(pairs: readonly Pair[], version: number, step: number): readonly Written[] {
    if (mixRows === 0) return []
    if (mix.from === 'demonstrations') return demonstrations.draw(mixRows, version, step).map(unwritten)
    if (mix.from === 'chosen') return pairs.map(({ chosen }) => chosen)
    return pairs.flatMap(({ people }) => (people ? [people] : []))
  }

  async function step(pairs: readonly Pair[], version: number, index: number) {
    const fill = Array.from({ length: capacity - pairs.length }, () => padding)
    const further = loss.needs.includes('mismatched') ? mismatchedOf(pairs) : []
    const scored = [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected), ...further]
    const sums = loss.usesReference
      ? (await base.reference(scored.map(({ sequence }) => sequence))).map(sumOf)
      : scored.map(() => 0)
    const part = (k: number) => vector(capacity, sums.slice(k * pairs.length, (k + 1) * pairs.length))
    const nll = mixed(pairs, version, index)
    const filled = (k: number) => [...scored.slice(k * pairs.length, (k + 1) * pairs.length), ...fill]
    const rest = Array.from({ length: mixRows - nll.length }, () => padding)
    const rows = [...filled(0), ...filled(1), ...(further.length > 0 ? filled(2) : []), ...nll, ...rest]
    const ones = (count: number, length: number) => vector(length, new Array(count).fill(1))
    const known: Record<string, TrainingExtra> = {
      refChosen: part(0),
      refRejected: part(1),
      pairWeight: ones(pairs.length, capacity),
      nllWeight: ones(nll.length, mixRows),
      behaviour: { perToken: rows.map(({ logprobs }) => logprobs) },
      refMismatched: part(2),
      rewardShift: vector(1, [shift]),
      referenceSide: vector(capacity, pairs.map(sideOf)),
    }
    const sequences: TokenSequence[] = rows.map(({ sequence }) => sequence)
    const result = await trainer.step(
      sequences,
      objective.extras.map((name) => known[name] as TrainingExtra),
    )
    return { result, metrics: metricsOf(objective.metrics, result.metrics) }
  }

  return {
    begin(iteration, reference) {
      if (reference) shift = 0 // log-ratios to the new one begin at 0
      return base.begin(iteration, reference)
    },
    pull: () => trainer.pull(),
    dispose: base.dispose,
    async update(outcomes, version) {
      const fresh = outcomes.flatMap((outcome) => [...pairsOf(outcome), ...judgePairsOf(outcome.group)])
      if (fresh.length === 0) return null
      base.replay.add(fresh)
      const all = [...fresh, ...base.replay.draw(version)]
      const done: Awaited<ReturnType<typeof step>>[] = []
      for (let epoch = 0; epoch < training.epochs; epoch++)
        for (const pairs of chunks(all, capacity)) {
          const taken = await step(pairs, version, done.length)
          done.push(taken)
          if (!loss.needs.includes('rewardShift')) continue
          const { 'rewards/chosen': chosen = 0, 'rewards/rejected': rejected = 0 } = taken.metrics
          shift += SHIFT_RATE * ((chosen + rejected) / 2 - shift)
        }
      return resultOf(
        done.map(({ result }) => result),
        done.map(({ metrics }) => metrics),
        fresh.length,
      )
    },
    async snapshot() {
      const state = await base.snapshot()
      return { ...state, further: { ...state.further, shift } }
    },
    restore(state, iteration) {
      shift = state.further.shift ?? 0
      base.restore(state, iteration)
    },
  }
}

function firstOf(chosen: Writer | undefined, rejected: Writer | undefined): Pair['ofFirst'] {
  if (chosen === 'first') return 'chosen'
  return rejected === 'first' ? 'rejected' : undefined
}

/** What an objective over pairs measured, by the names that the field gives it. */
function metricsOf(names: readonly string[], values: readonly number[]): Record<string, number> {
  const of = (name: string) => values[names.indexOf(name)]
  const metrics: Record<string, number> = {
    'rewards/margins': of('margin') ?? 0,
    'rewards/accuracies': of('accuracy') ?? 0,
    'rewards/chosen': of('chosenReward') ?? 0,
    'rewards/rejected': of('rejectedReward') ?? 0,
  }
  const [kl, ratio, square] = [of('mismatchKl'), of('ratio'), of('ratioSquare')]
  if (kl === undefined || ratio === undefined || square === undefined) return metrics
  return { ...metrics, 'mismatch_kl/mean': kl, 'rl/ess': effectiveSampleSize(ratio, square) }
}

/** The correction of pairs, which is of whole sequences. */
function pairCorrectionOf(training: TrainingConfig): PairCorrection | undefined {
  const correction = correctionOf(training)
  if (!correction) return undefined
  if (!training.behaviour)
    throw new TroupeError('E_CONFIG', 'pairs that people wrote have no log-probabilities to be corrected by', {
      hint: 'Set correction.kind=none',
    })
  const { level } = correction
  if (level === 'token')
    throw new TroupeError('E_CONFIG', 'a correction of pairs is of whole sequences, not of tokens', {
      hint: 'Set correction.level=sequence',
    })
  return { ...correction, level }
}
