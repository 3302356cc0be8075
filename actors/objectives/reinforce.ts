import { nashMdObjective, reinforceObjective } from '../../alignment/index.js'
import { createTrainer } from '../../models/index.js'
import type { TrainingExtra } from '../../models/types.js'
import { correctionOf, createBase, optimizerOf } from './base.js'
import { chunks, type Objective, type ObjectiveContext, resultOf, sumOf, vector } from './objective.js'
import { type Priced, price, rolloutsOf, sequenceAdvantages } from './rollouts.js'

interface Weighed extends Priced {
  readonly advantage: number
}

/** Policy gradients of whole completions: REINFORCE against a baseline (RLOO), or Nash-MD against an opponent's. */
export function createReinforce(context: ObjectiveContext): Objective {
  const { config, training, params, random } = context
  const { policy } = training
  const isNash = training.objective === 'nash-md'
  const correction = correctionOf(training)
  const capacity = training.rowsPerStep ?? config.promptsPerUpdate * training.completions
  const loss = isNash ? nashMdObjective({ tau: policy.tau }) : reinforceObjective({ correction })
  const trainer = createTrainer(config.model, params, loss, {
    optimizer: optimizerOf(config, training, 0),
    engine: config.engine,
    rows: capacity,
  })
  const base = createBase<never>(context, trainer, capacity)
  const padding = { tokens: Int32Array.of(config.model.bosTokenId), promptLength: 1 }

  function step(batch: readonly Weighed[]) {
    const fill = Array.from({ length: capacity - batch.length }, () => padding)
    const column = (of: (rollout: Weighed) => number) => vector(capacity, batch.map(of))
    const behaviour: TrainingExtra = {
      perToken: [...batch.map(({ logprobs }) => logprobs), ...fill.map(() => new Float32Array(0))],
    }
    const extras = isNash
      ? [column(({ reference }) => sumOf(reference)), column(({ preference }) => preference ?? 0.5)]
      : [column(({ advantage }) => advantage), ...(correction ? [behaviour] : [])]
    return trainer.step([...batch.map(({ sequence }) => sequence), ...fill], extras)
  }

  return {
    begin: base.begin,
    pull: () => trainer.pull(),
    snapshot: base.snapshot,
    restore: base.restore,
    dispose: base.dispose,
    async update(outcomes, version) {
      const written = rolloutsOf(outcomes, base.written, policy)
      const usable = isNash ? written.filter(({ preference }) => preference !== undefined) : written
      if (usable.length === 0) return null
      const reference = await base.reference(usable.map(({ sequence }) => sequence))
      const priced = price(usable, reference, isNash ? policy.tau : policy.kl)
      const advantages = sequenceAdvantages(priced, policy.baseline)
      const all = priced.map((rollout, i): Weighed => ({ ...rollout, advantage: advantages[i] ?? 0 }))
      const steps: Awaited<ReturnType<typeof step>>[] = []
      for (let epoch = 0; epoch < training.epochs; epoch++) {
        const order = training.epochs === 1 ? all : random.stream('rollouts', version, epoch).shuffle(all)
        for (const batch of chunks(order, capacity)) steps.push(await step(batch))
      }
      const mean = (of: (rollout: Weighed) => number) => sumOf(all.map(of)) / all.length
      const common = {
        'objective/score': mean(({ score }) => score),
        'objective/reward': mean(({ reward }) => reward),
        'objective/kl': mean(({ kl }) => kl),
      }
      const won = isNash ? { 'objective/preference': mean(({ preference }) => preference ?? 0.5) } : {}
      return resultOf(
        steps,
        steps.map(({ metrics }) => ({ ...common, ...won, 'loss/policy': metrics[0] ?? 0 })),
        all.length,
      )
    },
  }
}
