import test from 'ava'
import type { JudgedGroup } from '../../../actors/messages.js'
import type { GroupOutcome } from '../../../actors/selection.js'
import { openValueModel } from '../../../models/index.js'
import { TINY_MODEL } from '../fixtures/alone.js'
import {
  checkSlope,
  gradientOf,
  groupOf,
  logprobsOf,
  near,
  openWith,
  sequencesOf,
  sumsOf,
  total,
  weightsOf,
} from '../fixtures/objectives.js'

const [theta, ref, stale] = [weightsOf(1), weightsOf(2), weightsOf(3)]
const plain = [
  groupOf(['ant bee', 'cat', 'dog eel fox'], { prompt: 'copy ant bee', scores: [3, 1, 2], cut: [1] }),
  groupOf(['dog', 'eel fox gnu'], { prompt: 'turn cat dog', scores: [2, 5] }),
]
const mean = (values: readonly number[]) => total(values) / values.length

/** The groups as a model with these weights wrote them. */
async function writtenBy(params: Float32Array, groups: readonly JudgedGroup[] = plain): Promise<JudgedGroup[]> {
  const rows = await logprobsOf(
    params,
    groups.flatMap((group) => sequencesOf(group)),
  )
  let at = 0
  return groups.map((group) => ({
    ...group,
    completions: group.completions.map((completion) => ({ ...completion, logprobs: rows[at++]! })),
  }))
}
const allOf = (groups: readonly JudgedGroup[]): GroupOutcome[] =>
  groups.map((group) => ({ group, selected: { singles: group.completions.map((_, i) => i) } }))
const rows = plain.flatMap((group) => sequencesOf(group))
/** A cut answer costs 1. */
const scores = [3, 1 - 1, 2, 2, 5]

/** log π − log ref of whole completions. */
async function klOf(params: Float32Array): Promise<number[]> {
  const [own, others] = [await sumsOf(params, rows), await sumsOf(ref, rows)]
  return own.map((value, i) => value - others[i]!)
}

test('RLOO: −Σ A·log π(y) / answers; A is the reward less that of the prompt’s others, and sums to 0', async (t) => {
  const groups = await writtenBy(theta)
  const opened = await openWith({ objective: 'reinforce', completions: 3, policy: { kl: 0.1 } })
  const result = await opened.objective.update(allOf(groups), 0)
  const kl = await klOf(theta)
  const reward = scores.map((score, i) => score - 0.1 * kl[i]!)
  const [a, b, c, d, e] = reward as [number, number, number, number, number]
  const advantages = [a - (b + c) / 2, b - (a + c) / 2, c - (a + b) / 2, d - e, e - d]
  near(t, total(advantages.slice(0, 3)), 0, 'they sum to 0', 1e-12)
  const loss = async (params: Float32Array) => -mean((await sumsOf(params, rows)).map((sum, i) => sum * advantages[i]!))
  near(t, result?.loss, await loss(theta), 'loss', 1e-4)
  near(t, result?.metrics['objective/score'], mean(scores), 'score')
  near(t, result?.metrics['objective/kl'], mean(kl), 'kl')
  near(t, result?.metrics['objective/reward'], mean(reward), 'reward')
  await checkSlope(t, await gradientOf(opened), theta, loss)
  await opened.objective.dispose()
})

test('REINFORCE against the batch’s mean; a prompt’s only answer has no others and moves nothing under RLOO', async (t) => {
  const groups = await writtenBy(theta)
  const { objective } = await openWith({ objective: 'reinforce', completions: 3, policy: { kl: 0, baseline: 'mean' } })
  const result = await objective.update(allOf(groups), 0)
  const sums = await sumsOf(theta, rows)
  near(t, result?.loss, -mean(sums.map((sum, i) => sum * (scores[i]! - mean(scores)))), 'loss', 1e-4)
  await objective.dispose()
  const alone = await openWith({ objective: 'reinforce', completions: 3 })
  const single = await alone.objective.update([{ group: groups[0]!, selected: { singles: [0] } }], 0)
  t.is(single?.gradNorm, 0)
  await alone.objective.dispose()
})

test('REINFORCE of stale answers: weights π/μ of each token, cut, without a gradient', async (t) => {
  const groups = await writtenBy(stale)
  const opened = await openWith({
    objective: 'reinforce',
    ...{ completions: 3, policy: { kl: 0, baseline: 'mean' } },
    correction: { kind: 'truncate', level: 'token', cap: 1.2 },
  })
  const result = await opened.objective.update(allOf(groups), 0)
  const [now, then] = [await logprobsOf(theta, rows), await logprobsOf(stale, rows)]
  const weights = now.map((row, i) => [...row].map((value, k) => Math.min(1.2, Math.exp(value - then[i]![k]!))))
  const loss = async (params: Float32Array) => {
    const values = await logprobsOf(params, rows)
    const sums = values.map((row, i) => total([...row].map((value, k) => value * weights[i]![k]!)))
    return -mean(sums.map((sum, i) => sum * (scores[i]! - mean(scores))))
  }
  near(t, result?.loss, await loss(theta), 'loss', 1e-4)
  await checkSlope(t, await gradientOf(opened), theta, loss)
  await opened.objective.dispose()
})

test('answers of others, and those that nobody rated, are not learned from', async (t) => {
  const group = groupOf(['ant bee', 'cat', 'dog'], { scores: [3, 1, 2], writers: ['policy', 'people', 'first'] })
  const { objective } = await openWith({ objective: 'reinforce', completions: 3, policy: { baseline: 'mean' } })
  t.is((await objective.update(allOf([group]), 0))?.used, 1)
  const others = groupOf(['cat', 'dog'], { scores: [1, 2], writers: ['people', 'first'] })
  t.is(await objective.update(allOf([others]), 1), null)
  await objective.dispose()
})

test('Nash-MD: −log π(y)·[P(y ≻ y′) − ½ − τ·log(π/μ)(y)], against the mixture alone', async (t) => {
  const base = groupOf(['ant bee', 'cat', 'dog eel fox'], {
    writers: ['policy', 'policy', 'mixture'],
    comparisons: [
      { first: 0, second: 1, opinion: 1 },
      { first: 2, second: 0, opinion: 0.4 },
      { first: 1, second: 2, opinion: 0.9 },
    ],
  })
  const [group] = (await writtenBy(theta, [base])) as [JudgedGroup]
  const opened = await openWith({ objective: 'nash-md', completions: 2, policy: { tau: 0.2 } })
  const result = await opened.objective.update(allOf([group]), 0)
  const own = sequencesOf(group).slice(0, 2)
  const [at, mu] = [await sumsOf(theta, own), await sumsOf(ref, own)]
  const preference = [0.6, 0.9]
  const advantages = preference.map((p, i) => p - 0.5 - 0.2 * (at[i]! - mu[i]!))
  const loss = async (params: Float32Array) => -mean((await sumsOf(params, own)).map((sum, i) => sum * advantages[i]!))
  near(t, result?.loss, await loss(theta), 'loss', 1e-4)
  near(t, result?.metrics['objective/preference'], 0.75, 'preference')
  near(t, result?.metrics['objective/reward'], mean(preference.map((p, i) => p - 0.2 * (at[i]! - mu[i]!))), 'reward')
  await checkSlope(t, await gradientOf(opened), theta, loss)
  await opened.objective.dispose()
})

test('Nash-MD without a mixture: the opponent is the policy itself; what cannot be read is left out', async (t) => {
  const base = groupOf(['ant bee', 'cat', 'dog'], {
    comparisons: [
      { first: 0, second: 1, opinion: 0.8 },
      { first: 0, second: 2, opinion: 'invalid' },
      { first: 1, second: 2, opinion: 'invalid' },
    ],
  })
  const { objective } = await openWith({ objective: 'nash-md', completions: 3 })
  const result = await objective.update([{ group: base, selected: { singles: [0, 1] } }], 0)
  near(t, result?.metrics['objective/preference'], 0.5, 'P and 1 − P')
  t.is(result?.used, 2)
  await objective.dispose()
})

/** Advantages and returns of each token by GAE, from rewards and values. */
function estimate(rewards: readonly number[], values: readonly number[], lambda: number) {
  const advantages = rewards.map((_, t) =>
    total(rewards.slice(t).map((reward, k) => lambda ** k * (reward + (values[t + k + 1] ?? 0) - values[t + k]!))),
  )
  return { advantages, returns: advantages.map((advantage, t) => advantage + values[t]!) }
}

const PPO = {
  objective: 'ppo',
  completions: 3,
  policy: { kl: 0.1, clip: 0.2, valueClip: 0.3, valueCoefficient: 0.5, gaeLambda: 0.9 },
} as const

/** PPO's loss, by its definition, of a trunk with a value head against rollouts of a writer. */
async function ppoOf(flat: Float32Array, writer: Float32Array) {
  const critic = openValueModel(TINY_MODEL, flat.slice(), { backend: 'onnx' })
  const [old, reference] = [await logprobsOf(writer, rows), await logprobsOf(ref, rows)]
  const oldValues = (await critic.values(rows)).map((row) => [...row])
  await critic.dispose()
  const each = old.map((row, i) => {
    const rewards = [...row].map((value, k) => -0.1 * (value - reference[i]![k]!))
    rewards[rewards.length - 1]! += scores[i]!
    return estimate(rewards, oldValues[i]!, 0.9)
  })
  const raw = each.flatMap(({ advantages }) => advantages)
  const spread = Math.sqrt(mean(raw.map((value) => (value - mean(raw)) ** 2)))
  const advantages = raw.map((value) => (value - mean(raw)) / spread)
  const [returns, before, was] = [each.flatMap((one) => one.returns), oldValues.flat(), old.flatMap((row) => [...row])]
  const clip = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x))

  async function parts(params: Float32Array) {
    const own = openValueModel(TINY_MODEL, params.slice(), { backend: 'onnx' })
    const values = (await own.values(rows)).flatMap((row) => [...row])
    await own.dispose()
    const logprobs = (await logprobsOf(params.subarray(0, theta.length), rows)).flatMap((row) => [...row])
    const ratios = logprobs.map((value, i) => Math.exp(value - was[i]!))
    const policy = -mean(ratios.map((u, i) => Math.min(u * advantages[i]!, clip(u, 0.8, 1.2) * advantages[i]!)))
    const value =
      0.5 *
      mean(
        values.map((v, i) => {
          const held = before[i]! + clip(v - before[i]!, -0.3, 0.3)
          return Math.max((v - returns[i]!) ** 2, (held - returns[i]!) ** 2)
        }),
      )
    return { policy, value, loss: policy + 0.5 * value, ratios }
  }
  return parts
}

/** The trunk with its value head as a fresh objective has it. */
async function flatOf({ objective }: Awaited<ReturnType<typeof openWith>>): Promise<Float32Array> {
  return (await objective.snapshot()).flat!.slice()
}

test('PPO on its own fresh rollouts: the ratio is 1, nothing is clipped, no distance', async (t) => {
  const opened = await openWith(PPO)
  const flat = await flatOf(opened)
  t.deepEqual(flat.slice(0, theta.length), theta)
  const parts = await ppoOf(flat, theta)
  const result = await opened.objective.update(allOf(await writtenBy(theta)), 0)
  const expected = await parts(flat)
  t.is(result?.metrics['policy/clip_fraction'], 0)
  near(t, result?.metrics['policy/approx_kl'], 0, 'kl', 1e-6)
  near(t, result?.metrics['loss/policy'], 0, 'whitened advantages at ratio 1', 1e-5)
  near(t, result?.metrics['loss/value'], expected.value, 'value', 1e-4)
  near(t, result?.loss, expected.loss, 'loss', 1e-4)
  near(t, result?.metrics['objective/score'], mean(scores), 'score')
  await checkSlope(t, await gradientOf(opened), flat, async (params) => (await parts(params)).loss)
  await opened.objective.dispose()
})

test('PPO on rollouts of an older policy: its log-probabilities make the ratio, the clip and the price', async (t) => {
  const opened = await openWith(PPO)
  const flat = await flatOf(opened)
  const parts = await ppoOf(flat, stale)
  const result = await opened.objective.update(allOf(await writtenBy(stale)), 0)
  const { policy, loss, ratios } = await parts(flat)
  near(t, result?.loss, loss, 'loss', 1e-4)
  near(t, result?.metrics['loss/policy'], policy, 'policy', 1e-4)
  near(t, result?.metrics['policy/clip_fraction'], mean(ratios.map((u) => Number(Math.abs(u - 1) > 0.2))), 'clipped')
  near(t, result?.metrics['policy/approx_kl'], mean(ratios.map((u) => u - Math.log(u) - 1)), 'kl', 1e-4)
  t.true(result!.metrics['policy/clip_fraction']! > 0.2)
  await checkSlope(t, await gradientOf(opened), flat, async (params) => (await parts(params)).loss)
  await opened.objective.dispose()
})

test('PPO: the second epoch is clipped against the policy that wrote, and the value head against its values before', async (t) => {
  const [once, twice] = [await openWith(PPO), await openWith({ ...PPO, epochs: 2 })]
  const flat = await flatOf(once)
  const parts = await ppoOf(flat, theta)
  const written = allOf(await writtenBy(theta))
  const first = await once.objective.update(written, 0)
  const both = await twice.objective.update(written, 0)
  const second = await parts(await flatOf(once))
  near(t, 2 * both!.loss - first!.loss, second.loss, 'second epoch', 2e-3)
  t.true(both!.metrics['policy/approx_kl']! > 0)
  await Promise.all([once.objective.dispose(), twice.objective.dispose()])
})

test('PPO-ptx: demonstrations beside the rollouts, γ times their mean over tokens', async (t) => {
  const [bare, mixed] = [await openWith(PPO), await openWith({ ...PPO, mix: { rows: 3, coefficient: 0.6 } })]
  const written = allOf(await writtenBy(theta))
  const [without, beside] = [await bare.objective.update(written, 0), await mixed.objective.update(written, 0)]
  const nll = -mean((await logprobsOf(theta, mixed.demonstrations.draw(3, 0))).flatMap((row) => [...row]))
  near(t, beside!.loss - without!.loss, 0.6 * nll, 'demonstrations', 1e-4)
  t.is(await bare.objective.update([], 1), null)
  await Promise.all([bare.objective.dispose(), mixed.objective.dispose()])
})
