import { createTrainer, nllLoss } from '../../models/index.js'
import { createBase, optimizerOf } from './base.js'
import { chunks, type Objective, type ObjectiveContext, resultOf, vector, type Written } from './objective.js'

const ROWS_BUCKET = 8

/** Likelihood of what was selected (best-of-N fine-tuning, ReST), with demonstrations mixed in where asked. */
export function createImitation(context: ObjectiveContext): Objective {
  const { config, training, params, demonstrations } = context
  const trainer = createTrainer(config.model, params, nllLoss, {
    optimizer: optimizerOf(config, training, 0),
    engine: config.engine,
    rows: ROWS_BUCKET,
    lengthBucket: 8,
  })
  const base = createBase<Written>(context, trainer, ROWS_BUCKET)
  const capacity = training.rowsPerStep ?? config.promptsPerUpdate

  return {
    begin: base.begin,
    pull: () => trainer.pull(),
    snapshot: base.snapshot,
    restore: base.restore,
    dispose: base.dispose,
    async update(outcomes, version, pass = 0) {
      const fresh = outcomes.flatMap(({ group, selected }) =>
        'singles' in selected ? selected.singles.map((i) => base.written(group, i)) : [],
      )
      if (fresh.length === 0) return null
      if (pass === 0) base.replay.add(fresh)
      const all = [...fresh, ...base.replay.draw(version, pass)]
      const steps: Awaited<ReturnType<typeof trainer.step>>[] = []
      for (let epoch = 0; epoch < training.epochs; epoch++)
        for (const chosen of chunks(all, capacity)) {
          const mixed =
            training.mix.coefficient > 0 ? demonstrations.draw(training.mix.rows, version, steps.length, pass) : []
          const weights = [...chosen.map(() => 1), ...mixed.map(() => training.mix.coefficient)]
          const rows = [...chosen.map(({ sequence }) => sequence), ...mixed]
          steps.push(await trainer.step(rows, [vector(rows.length, weights)]))
        }
      return resultOf(
        steps,
        steps.map(() => ({})),
        fresh.length,
      )
    },
  }
}
