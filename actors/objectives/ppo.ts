import { PPO_METRICS, ppo } from '../../alignment/index.js'
import { addHead, createValueTrainer, openValueModel } from '../../models/index.js'
import { assert } from '../../runtime/kernel/errors.js'
import { createBase, optimizerOf } from './base.js'
import { chunks, type Objective, type ObjectiveContext, resultOf, sumOf, type Written } from './objective.js'
import { type Priced, price, type Rollout, rolloutsOf, tokenAdvantages } from './rollouts.js'

interface Experience extends Priced {
  readonly advantages: Float32Array
  readonly returns: Float32Array
  readonly values: Float32Array
}

/**
 * PPO with a value head on the policy's trunk, per-token KL to the reference as a price, GAE, and demonstrations mixed in
 * (PPO-ptx). The old policy is the one that wrote, so that stale rollouts are corrected by the clipped ratio itself.
 */
export function createPpo(context: ObjectiveContext): Objective {
  const { config, training, params, random, demonstrations } = context
  const { policy, mix } = training
  const rollouts = training.rowsPerStep ?? config.promptsPerUpdate * training.completions
  const pretrainRows = mix.coefficient > 0 ? mix.rows : 0
  const flat = addHead(config.model, params, 'value', random.stream('value head'))
  const loss = ppo({
    rollouts,
    clip: policy.clip,
    valueClip: policy.valueClip,
    valueCoefficient: policy.valueCoefficient,
    pretrainRows,
    pretrainCoefficient: mix.coefficient,
  })
  const trainer = createValueTrainer(config.model, flat, loss, {
    optimizer: optimizerOf(config, training, 0),
    engine: config.engine,
    rows: rollouts + pretrainRows,
  })
  const base = createBase<never>(context, trainer, rollouts)
  const critic = openValueModel(config.model, flat, config.engine)
  const padding: Written = {
    sequence: { tokens: Int32Array.of(config.model.bosTokenId), promptLength: 1 },
    logprobs: new Float32Array(0),
  }

  async function pull(): Promise<void> {
    await trainer.pull()
    params.set(flat.subarray(0, params.length))
  }

  async function experience(written: readonly Rollout[]): Promise<Experience[]> {
    const sequences = written.map(({ sequence }) => sequence)
    await trainer.pull()
    const [reference, values] = [await base.reference(sequences), await critic.values(sequences)]
    const priced = price(written, reference, policy.kl)
    const advantages = tokenAdvantages(priced, values, policy)
    return priced.map((rollout, i) => {
      const own = advantages[i]
      const value = values[i]
      assert(own && value, 'every rollout has its advantages')
      return { ...rollout, ...own, values: value }
    })
  }

  function step(batch: readonly Experience[], ...at: readonly [version: number, index: number, pass: number]) {
    const texts = demonstrations.draw(pretrainRows, ...at)
    const fill = Array.from({ length: rollouts - batch.length }, () => padding)
    const rest = Array.from({ length: pretrainRows - texts.length }, () => padding.sequence)
    const sequences = [...batch, ...fill].map(({ sequence }) => sequence)
    const perToken = (of: (rollout: Experience) => Float32Array) => ({
      perToken: [
        ...batch.map(of),
        ...fill.map(() => new Float32Array(0)),
        ...texts.map(({ tokens, promptLength }) => new Float32Array(tokens.length - promptLength)),
        ...rest.map(() => new Float32Array(0)),
      ],
    })
    return trainer.step(
      [...sequences, ...texts, ...rest],
      [
        perToken(({ logprobs }) => logprobs),
        perToken(({ advantages }) => advantages),
        perToken(({ returns }) => returns),
        perToken(({ values }) => values),
      ],
    )
  }

  return {
    begin: base.begin,
    pull,
    async snapshot() {
      const state = await base.snapshot()
      await trainer.pull()
      return { ...state, flat: flat.slice() }
    },
    restore(state, iteration) {
      if (state.flat) flat.set(state.flat)
      base.restore(state, iteration)
    },
    async dispose() {
      await critic.dispose()
      await base.dispose()
    },
    async update(outcomes, version, pass = 0) {
      const written = rolloutsOf(outcomes, base.written, policy)
      if (written.length === 0) return null
      const all = await experience(written)
      const steps: Awaited<ReturnType<typeof step>>[] = []
      for (let epoch = 0; epoch < training.epochs; epoch++) {
        const order = training.epochs === 1 ? all : random.stream('rollouts', version, epoch).shuffle(all)
        for (const batch of chunks(order, rollouts)) steps.push(await step(batch, version, steps.length, pass))
      }
      const mean = (of: (rollout: Experience) => number) => sumOf(all.map(of)) / all.length
      const metric = (name: (typeof PPO_METRICS)[number]) => PPO_METRICS.indexOf(name)
      return resultOf(
        steps,
        steps.map(({ metrics }) => ({
          'loss/policy': metrics[metric('policy')] ?? 0,
          'loss/value': metrics[metric('value')] ?? 0,
          'policy/approx_kl': metrics[metric('oldKl')] ?? 0,
          'policy/clip_fraction': metrics[metric('clipFraction')] ?? 0,
          'objective/score': mean(({ score }) => score),
          'objective/reward': mean(({ reward }) => reward),
          'objective/kl': mean(({ kl }) => kl),
        })),
        all.length,
      )
    },
  }
}
