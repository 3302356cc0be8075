import { RRHF_METRICS, rrhf } from '../../alignment/index.js'
import { createTrainer } from '../../models/index.js'
import { createBase, optimizerOf } from './base.js'
import {
  chunks,
  type Objective,
  type ObjectiveContext,
  resultOf,
  unwritten,
  vector,
  type Written,
} from './objective.js'
import { ratingOf } from './rollouts.js'

interface Ranked {
  readonly completions: readonly Written[]
  readonly rewards: readonly number[]
}

/** Ranking of whole groups by their scores, length-normalised, and likelihood of the best (RRHF). */
export function createRanking(context: ObjectiveContext): Objective {
  const { config, training, params } = context
  const prompts = training.rowsPerStep ?? config.promptsPerUpdate
  const { completions } = training
  const capacity = prompts * completions
  const padding = unwritten({ tokens: Int32Array.of(config.model.bosTokenId), promptLength: 1 })
  const loss = rrhf({ prompts, completions, nllCoefficient: training.mix.coefficient })
  const trainer = createTrainer(config.model, params, loss, {
    optimizer: optimizerOf(config, training, 0),
    engine: config.engine,
    rows: capacity,
  })
  const base = createBase<Ranked>(context, trainer, capacity)

  async function step(groups: readonly Ranked[]) {
    const fill = <T>(items: readonly T[], rest: T): T[] => [
      ...items.slice(0, completions),
      ...Array.from({ length: Math.max(0, completions - items.length) }, () => rest),
    ]
    const rows = groups.flatMap((group) => fill(group.completions, padding))
    const rewards = groups.flatMap((group) => fill(group.rewards, 0))
    const weight = groups.flatMap((group) =>
      fill(
        group.rewards.map(() => 1),
        0,
      ),
    )
    const empty = Array.from({ length: capacity - rows.length }, () => padding)
    return trainer.step(
      [...rows, ...empty].map(({ sequence }) => sequence),
      [vector(capacity, rewards), vector(capacity, weight)],
    )
  }

  return {
    begin: base.begin,
    pull: () => trainer.pull(),
    snapshot: base.snapshot,
    restore: base.restore,
    dispose: base.dispose,
    async update(outcomes, version, pass = 0) {
      const fresh = outcomes.flatMap(({ group, selected }): Ranked[] => {
        if (!('singles' in selected)) return []
        const rewards = selected.singles.map((i) => ratingOf(group, i) ?? 0)
        return [{ completions: selected.singles.map((i) => base.written(group, i)), rewards }]
      })
      if (fresh.length === 0) return null
      if (pass === 0) base.replay.add(fresh)
      const all = [...fresh, ...base.replay.draw(version, pass)]
      const steps: Awaited<ReturnType<typeof step>>[] = []
      for (let epoch = 0; epoch < training.epochs; epoch++)
        for (const groups of chunks(all, prompts)) steps.push(await step(groups))
      const [rank, nll] = [RRHF_METRICS.indexOf('rank'), RRHF_METRICS.indexOf('nll')]
      return resultOf(
        steps,
        steps.map(({ metrics }) => ({ 'loss/rank': metrics[rank] ?? 0, 'loss/nll': metrics[nll] ?? 0 })),
        fresh.length,
      )
    },
  }
}
