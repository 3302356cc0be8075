import test from 'ava'
import type { JudgedGroup } from '../../../actors/messages.js'
import type { GroupOutcome } from '../../../actors/selection.js'
import type { PreferenceLossChoice } from '../../../alignment/index.js'
import type { TokenSequence } from '../../../models/types.js'
import { sigmoid, softplus } from '../../alignment/losses/support.js'
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

const [theta, ref] = [weightsOf(1), weightsOf(2)]
const groups = [
  groupOf(['ant bee', 'cat'], { prompt: 'copy ant bee' }),
  groupOf(['dog', 'eel fox gnu'], { prompt: 'turn cat dog' }),
  groupOf(['hen jay koi', 'hen'], { prompt: 'copy hen jay koi' }),
]
const outcomesOf = (from: readonly JudgedGroup[]): GroupOutcome[] =>
  from.map((group) => ({ group, selected: { pairs: [{ chosen: 0, rejected: 1 }] } }))
const chosenOf = (from: readonly JudgedGroup[]) => from.map((group) => sequencesOf(group)[0]!)
const bothOf = (from: readonly JudgedGroup[]): TokenSequence[] => from.flatMap((group) => sequencesOf(group))
/** A loss with parameters, which its option's type leaves open. */
const chosenLoss = (choice: PreferenceLossChoice) => choice
const mean = (values: readonly number[]) => total(values) / values.length

/** [pairs] of lr of chosen and rejected. */
async function ratiosOf(params: Float32Array, from: readonly JudgedGroup[] = groups): Promise<[number, number][]> {
  const [own, others] = [await sumsOf(params, bothOf(from)), await sumsOf(ref, bothOf(from))]
  return from.map((_, i) => [own[2 * i]! - others[2 * i]!, own[2 * i + 1]! - others[2 * i + 1]!])
}

const dpo = async (params: Float32Array) => mean((await ratiosOf(params)).map(([w, l]) => softplus(-0.1 * (w - l))))

test('the reported rewards are β·lr; accuracy counts the pairs with lr_w > lr_l', async (t) => {
  const { objective } = await openWith({ loss: chosenLoss({ name: 'dpo', beta: 0.3 }) })
  const { metrics } = (await objective.update(outcomesOf(groups), 0))!
  const ratios = await ratiosOf(theta)
  near(t, metrics['rewards/chosen'], 0.3 * mean(ratios.map(([w]) => w)), 'chosen')
  near(t, metrics['rewards/rejected'], 0.3 * mean(ratios.map(([, l]) => l)), 'rejected')
  near(t, metrics['rewards/margins'], 0.3 * mean(ratios.map(([w, l]) => w - l)), 'margins')
  near(t, metrics['rewards/accuracies'], ratios.filter(([w, l]) => w > l).length / 3, 'accuracy')
  await objective.dispose()
})

test('the distance to who wrote is 0 where this policy did, and by its formula where another did', async (t) => {
  for (const writer of [theta, weightsOf(3)]) {
    const logprobs = await logprobsOf(writer, bothOf(groups))
    const written = groups.map((group, i) => ({
      ...group,
      completions: group.completions.map((one, k) => ({ ...one, logprobs: logprobs[2 * i + k]! })),
    }))
    const { objective } = await openWith({})
    const { metrics } = (await objective.update(outcomesOf(written), 0))!
    const own = (await logprobsOf(theta, bothOf(groups))).map((values, i) => values.map((x, k) => x - logprobs[i]![k]!))
    const logRatios = own.flatMap((values) => [...values])
    const ratios = logRatios.map(Math.exp)
    near(t, metrics['mismatch_kl/mean'], mean(ratios.map((r, i) => r - logRatios[i]! - 1)), 'kl', 1e-4)
    near(t, metrics['rl/ess'], mean(ratios) ** 2 / mean(ratios.map((r) => r * r)), 'ess', 1e-4)
    if (writer === theta) near(t, metrics['mismatch_kl/mean'], 0, 'fresh', 1e-6)
    else t.true(metrics['mismatch_kl/mean']! > 1e-3 && metrics['rl/ess']! < 0.99)
    await objective.dispose()
  }
})

test('a correction weighs each pair by π/μ of both completions, cut at the cap and without a gradient', async (t) => {
  const logprobs = await logprobsOf(weightsOf(3), bothOf(groups))
  const written = groups.map((group, i) => ({
    ...group,
    completions: group.completions.map((one, k) => ({ ...one, logprobs: logprobs[2 * i + k]! })),
  }))
  const sums = await sumsOf(theta, bothOf(groups))
  const ratio = groups.map((_, i) =>
    Math.exp(sums[2 * i]! + sums[2 * i + 1]! - total(logprobs[2 * i]!) - total(logprobs[2 * i + 1]!)),
  )
  const cap = [...ratio].sort((a, b) => a - b)[1]!
  const opened = await openWith({ correction: { kind: 'truncate', level: 'sequence', cap } })
  const result = await opened.objective.update(outcomesOf(written), 0)
  const loss = async (params: Float32Array) =>
    mean((await ratiosOf(params)).map(([w, l], i) => Math.min(cap, ratio[i]!) * softplus(-0.1 * (w - l))))
  near(t, result?.loss, await loss(theta), 'loss', 1e-4)
  await checkSlope(t, await gradientOf(opened), theta, loss)
  await opened.objective.dispose()
})

test('a correction of pairs that people wrote, or token by token, is refused', async (t) => {
  const correction = { kind: 'truncate' } as const
  await t.throwsAsync(openWith({ correction, behaviour: false }), { code: 'E_CONFIG', message: /people/ })
  await t.throwsAsync(openWith({ correction: { ...correction, level: 'token' } }), { code: 'E_CONFIG' })
})

test('an equal pair gives no gradient; groups without a pair leave the weights', async (t) => {
  const { objective, params } = await openWith({})
  const equal = groupOf(['ant bee', 'ant bee'])
  const result = await objective.update(outcomesOf([equal]), 0)
  near(t, result?.loss, Math.LN2, 'loss')
  t.true(result!.gradNorm < 1e-6, `${result!.gradNorm}: float32's rounding alone`)
  await objective.pull()
  const before = params.slice()
  const dropped = (['tie', 'unreadable', 'unselected'] as const).map((why) => ({
    group: groups[0]!,
    selected: { dropped: why },
  }))
  t.is(await objective.update(dropped, 1), null)
  t.is(await objective.update([{ group: groups[0]!, selected: { singles: [0] } }], 1), null)
  await objective.pull()
  t.deepEqual(params, before)
  t.is((await objective.snapshot()).optimizer.step, 1)
  await objective.dispose()
})

test('empty rows change nothing: a step of 3 pairs is the same in room for 3 and for 8', async (t) => {
  const [tight, wide] = [await openWith({ rowsPerStep: 3 }), await openWith({ rowsPerStep: 8 })]
  const [a, b] = [
    await tight.objective.update(outcomesOf(groups), 0),
    await wide.objective.update(outcomesOf(groups), 0),
  ]
  near(t, a?.loss, b!.loss, 'loss')
  near(t, a?.gradNorm, b!.gradNorm, 'gradient', 1e-4)
  t.is(a?.tokens, b!.tokens - 2 * 5, 'an empty row is one token')
  await Promise.all([tight.objective.dispose(), wide.objective.dispose()])
})

test('passes and steps: two epochs in steps of 2 are the four steps one by one', async (t) => {
  const whole = await openWith({ epochs: 2, rowsPerStep: 2 })
  const single = await openWith({ rowsPerStep: 2 })
  await whole.objective.update(outcomesOf(groups), 0)
  for (const part of [groups.slice(0, 2), groups.slice(2), groups.slice(0, 2), groups.slice(2)])
    await single.objective.update(outcomesOf(part), 0)
  await Promise.all([whole.objective.pull(), single.objective.pull()])
  t.deepEqual(whole.params, single.params)
  t.is((await whole.objective.snapshot()).optimizer.step, 4)
  await Promise.all([whole.objective.dispose(), single.objective.dispose()])
})

test('likelihood beside the pairs: of the chosen, of people’s answers, of demonstrations', async (t) => {
  const withPeople = groups.map((group) => ({
    ...group,
    completions: [...group.completions, groupOf(['koi koi'], { writers: ['people'] }).completions[0]!],
  }))
  const answers = withPeople.map((group) => sequencesOf(group)[2]!)
  const perSequence = async (params: Float32Array) => -mean(await sumsOf(params, chosenOf(groups)))
  const perToken = async (params: Float32Array) => {
    const values = (await logprobsOf(params, answers)).flatMap((row) => [...row])
    return -mean(values)
  }
  const cases = [
    { mix: { from: 'chosen', coefficient: 0.4, per: 'sequence' }, nll: perSequence, weight: 0.4 },
    { mix: { from: 'people', coefficient: 2 }, nll: perToken, weight: 2 },
  ] as const
  for (const { mix, nll, weight } of cases) {
    const opened = await openWith({ mix, coefficient: 0.5 })
    const result = await opened.objective.update(outcomesOf(withPeople), 0)
    const loss = async (params: Float32Array) => 0.5 * (await dpo(params)) + weight * (await nll(params))
    near(t, result?.loss, await loss(theta), mix.from)
    await checkSlope(t, await gradientOf(opened), theta, loss)
    await opened.objective.dispose()
  }
  const opened = await openWith({ mix: { rows: 3, coefficient: 0.7 } })
  const drawn = opened.demonstrations.draw(3, 0)
  const result = await opened.objective.update(outcomesOf(groups), 0)
  const nll = -mean((await logprobsOf(theta, drawn)).flatMap((row) => [...row]))
  near(t, result?.loss, (await dpo(theta)) + 0.7 * nll, 'demonstrations')
  await opened.objective.dispose()
})

test('BCO’s shift follows the rewards from step to step, and begins anew with a new reference', async (t) => {
  const { objective, params } = await openWith({ loss: chosenLoss({ name: 'bco-pair', beta: 0.5 }) })
  const bco = (ratios: readonly [number, number][], shift: number) =>
    mean(ratios.map(([w, l]) => softplus(-(0.5 * w - shift)) + softplus(0.5 * l - shift)))
  const first = await ratiosOf(theta)
  near(t, (await objective.update(outcomesOf(groups), 0))?.loss, bco(first, 0), 'first')
  await objective.pull()
  const shift = 0.1 * 0.5 * mean(first.map(([w, l]) => (w + l) / 2))
  t.true(Math.abs(shift) > 1e-3)
  const after = await ratiosOf(params)
  near(t, (await objective.update(outcomesOf(groups), 1))?.loss, bco(after, shift), 'second')
  await objective.pull()
  await objective.begin(1, params)
  near(t, (await objective.update(outcomesOf(groups), 2))?.loss, 2 * Math.LN2, 'lr is 0 to itself')
  await objective.dispose()
})

test('KTO’s reference point never takes an answer to the same prompt for one to another', async (t) => {
  const three = groupOf(['ant bee', 'cat', 'gnu gnu'], { prompt: 'copy ant bee' })
  const two = groupOf(['dog', 'eel fox gnu'], { prompt: 'turn cat dog' })
  const outcomes: GroupOutcome[] = [
    {
      group: three,
      selected: {
        pairs: [
          { chosen: 0, rejected: 1 },
          { chosen: 2, rejected: 1 },
        ],
      },
    },
    { group: two, selected: { pairs: [{ chosen: 0, rejected: 1 }] } },
  ]
  const { objective } = await openWith({ loss: chosenLoss({ name: 'kto', beta: 0.5 }) })
  const result = await objective.update(outcomes, 0)
  const after = [
    sequencesOf(two, three.prompt)[0]!,
    sequencesOf(two, three.prompt)[0]!,
    sequencesOf(three, two.prompt)[0]!,
  ]
  const [own, others] = [await sumsOf(theta, after), await sumsOf(ref, after)]
  const z0 = Math.max(0, mean(own.map((value, i) => value - others[i]!)))
  const lr = (await sumsOf(theta, [...sequencesOf(three), ...sequencesOf(two)])).map((x) => x)
  const refs = await sumsOf(ref, [...sequencesOf(three), ...sequencesOf(two)])
  const ratio = lr.map((x, i) => x - refs[i]!)
  const loss = (w: number, l: number) => 2 - sigmoid(0.5 * (w - z0)) - sigmoid(0.5 * (z0 - l))
  const expected = mean([loss(ratio[0]!, ratio[1]!), loss(ratio[2]!, ratio[1]!), loss(ratio[3]!, ratio[4]!)])
  near(t, result?.loss, expected, 'loss')
  await objective.dispose()
})

test('KTO of one prompt alone has nothing to compare with: its reference point is 0', async (t) => {
  const { objective } = await openWith({ loss: { name: 'kto' } })
  const [[w, l]] = (await ratiosOf(theta, groups.slice(0, 1))) as [[number, number]]
  const result = await objective.update(outcomesOf(groups.slice(0, 1)), 0)
  near(t, result?.loss, 2 - sigmoid(0.1 * w) - sigmoid(-0.1 * l), 'loss')
  await objective.dispose()
})

test('XPO without a sample of the first model is refused', async (t) => {
  const { objective } = await openWith({ loss: { name: 'xpo' } })
  await t.throwsAsync(objective.update(outcomesOf(groups), 0), { code: 'E_CONFIG', message: /first model/ })
  await objective.dispose()
})
