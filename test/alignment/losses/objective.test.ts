import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import {
  type PreferenceLossName,
  preferenceLoss,
  preferenceLosses,
  preferenceLossOption,
  preferenceObjective,
  rrhf,
} from '../../../alignment/index.js'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { compile, type HostTensor, type Mean } from '../../../runtime/tensor/index.js'
import { seededRandom } from '../../../runtime/time/index.js'
import { close } from './support.js'

registerGradients()

const NEEDED: Record<string, Record<string, number | boolean>> = {
  'r-dpo': { alpha: 0.02 },
  'ld-dpo': { alpha: 0.4 },
  cringe: { margin: 1, temperature: 2, detached: false },
}
const names = Object.keys(preferenceLosses) as PreferenceLossName[]
const bound = (name: PreferenceLossName) => preferenceLoss({ name, ...NEEDED[name] })
const [P, LENGTH, NLL] = [3, 5, 2]

/** A batch whose last pair is padding, for any loss. */
function batchOf(name: PreferenceLossName, seed: number, correction = false) {
  const random = seededRandom(seed, name)
  const objective = preferenceObjective({
    loss: bound(name),
    pairs: P,
    nllRows: NLL,
    nllCoefficient: 0.5,
    coefficient: 2,
    behaviour: true,
    correction: correction ? { kind: 'truncate', level: 'sequence', cap: 2 } : undefined,
  })
  const host = (shape: number[], value: (i: number) => number): HostTensor => ({
    dtype: 'float32',
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
  })
  const isPadding = (row: number) => row < objective.rows - NLL && row % P === P - 1
  const mask = host([objective.rows, LENGTH], (i) => {
    const row = Math.floor(i / LENGTH)
    return Number(!isPadding(row) && i % LENGTH > 0 && i % LENGTH < 3 + (row % 3))
  })
  const perToken = () => host([objective.rows, LENGTH], (i) => -3 * random.float() * mask.data[i]!)
  const vectors: Record<string, () => HostTensor> = {
    pairWeight: () => host([P], (i) => Number(i < P - 1)),
    nllWeight: () => host([NLL], () => 1),
    behaviour: perToken,
    rewardShift: () => host([1], () => 0.2),
    referenceSide: () => host([P], (i) => i % 2),
  }
  const vector = () => host([P], (i) => (i === P - 1 ? 0 : -6 * random.float()))
  const extras = objective.extras.map((extra) => (vectors[extra] ?? vector)())
  const ofLogits = objective.loss.ofLogits ? [perToken()] : [] // as a trainer gives it
  return { objective, inputs: [perToken(), mask, ...ofLogits, ...extras] }
}

for (const name of names)
  test(`${name}: the traced graph gives the value, the metrics and the gradient of the oracle`, async (t) => {
    const { objective, inputs } = batchOf(name, 3, true)
    const graph = ([logprobs, mask, ...extras]: tf.Tensor[]) => {
      let metrics: tf.Tensor[] = []
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => {
        const result = objective.loss(x, mask!, extras)
        metrics = result.metrics.map((metric) => tf.keep(tf.clone(metric)))
        return result.loss
      })(logprobs!)
      return [value, grad, ...metrics]
    }
    const run = async (backend: 'onnx' | 'cpu') => {
      const compiled = compile(graph, { name, backend })
      const outputs = await compiled.run(inputs)
      await compiled.dispose()
      return outputs.map(({ data }) => data)
    }
    const [native, oracle] = [await run('onnx'), await run('cpu')]
    t.is(native.length, 2 + objective.metrics.length)
    for (const [i, values] of oracle.entries()) {
      t.true(
        values.every((value) => Number.isFinite(value)),
        `output ${i} is finite, with padding`,
      )
      close(t, native[i]!, [...values], 1e-5, `output ${i}`)
    }
    const gradient = oracle[1]!
    const padded = inputs[1]!.data
    t.true(
      gradient.every((slope, i) => slope === 0 || padded[i] === 1),
      'nothing outside of completions moves',
    )
    t.true(gradient.some((slope) => slope !== 0))
  })

test('a separable loss over micro-batches is that of one batch', (t) => {
  const tensors = (inputs: readonly HostTensor[]) =>
    inputs.map(({ data, shape }) => tf.tensor(data as Float32Array, [...shape]))
  for (const name of names.filter((name) => bound(name).isSeparable)) {
    const parts = [1, 2].map((seed) => batchOf(name, seed))
    const counts: number[][] = parts.map(() => [])
    const whole = (part: number): Mean => {
      let at = 0
      return (sum, count, least = 1e-8) => {
        counts[part]![at++] = count.dataSync()[0]!
        return tf.div(sum, Math.max(least, 2 * count.dataSync()[0]!)) // both parts have the same counts
      }
    }
    const lossOf = (part: number, mean?: Mean) => {
      const [logprobs, mask, ...extras] = tensors(parts[part]!.inputs)
      return parts[part]!.objective.loss(logprobs!, mask!, extras, mean).loss.dataSync()[0]!
    }
    const alone = (lossOf(0) + lossOf(1)) / 2
    close(t, [lossOf(0, whole(0)) + lossOf(1, whole(1))], [alone], 1e-5, name)
    t.deepEqual(counts[0], counts[1])
  }
  t.deepEqual(
    names.filter((name) => !bound(name).isSeparable),
    ['aot', 'kto'],
  )
})

test('the option lists every loss’s parameters; a loss takes its own alone, within their bounds', (t) => {
  t.deepEqual(preferenceLossOption.parse({ name: 'ipo', tau: 0.5 }), { name: 'ipo', tau: 0.5 })
  t.deepEqual(preferenceLossOption.parse(undefined), { name: 'dpo' })
  const described: Record<string, { description?: string | undefined }> = preferenceLossOption.unwrap().shape
  t.regex(described.alpha?.description ?? '', /r-dpo, ld-dpo: needed; click: 15/)
  t.is(preferenceLoss().name, 'dpo')
  const refused = (choice: Parameters<typeof preferenceLoss>[0], message: RegExp) => {
    const error = t.throws(() => preferenceLoss(choice), { instanceOf: TroupeError })
    t.is(error?.code, 'E_CONFIG')
    t.regex(error?.message ?? '', message)
  }
  refused({ name: 'dpo', tau: 1 }, /loss dpo: .*tau/)
  refused({ name: 'dpo', beta: -1 }, /loss dpo: beta/)
  refused({ name: 'r-dpo' }, /loss r-dpo: alpha/)
  refused({ name: 'exo', labelSmoothing: 0 }, /loss exo: labelSmoothing/)
  t.is(preferenceLoss({ name: 'dpo', beta: undefined }).rewardScale, 0.1)
})

test('what an objective needs and is not given is named', (t) => {
  const { objective, inputs } = batchOf('kto', 1)
  t.is(objective.rows, 3 * P + NLL)
  t.deepEqual(objective.extras.slice(4), ['behaviour', 'refMismatched'])
  const [logprobs, mask] = inputs.map(({ data, shape }) => tf.tensor(data as Float32Array, [...shape]))
  t.throws(() => objective.loss(logprobs!, mask!, []), { message: /kto needs refChosen, .*refMismatched/ })
  const correction = { kind: 'truncate', level: 'sequence', cap: 1 } as const
  t.throws(() => preferenceObjective({ loss: bound('dpo'), pairs: 1, correction }), { message: /behaviour/ })
})

test('a pair’s correction is the product over both completions, and sequence NLL is a mean of sums', (t) => {
  const logprobs = tf.tensor2d([
    [-1, -2],
    [-3, -1],
    [-4, -6],
  ])
  const written = tf.tensor2d([
    [-1.2, -2],
    [-3, -1.3],
    [0, 0],
  ])
  const extras = [[-3], [-4], [1], [1]].map((values) => tf.tensor1d(values))
  const loss = preferenceLoss({ name: 'slic', delta: 3 })
  const run = (cap: number) =>
    preferenceObjective({
      loss,
      pairs: 1,
      nllRows: 1,
      nllPer: 'sequence',
      nllCoefficient: 0.1,
      behaviour: true,
      correction: { kind: 'truncate', level: 'sequence', cap },
    })
      .loss(logprobs, tf.ones([3, 2]), [...extras, written])
      .loss.dataSync()
  close(t, run(9), [2 * Math.exp(0.2 + 0.3) + 1])
  close(t, run(1.5), [2 * 1.5 + 1])
})

test('LD-DPO weighs the pairs’ rows alone, with other rows beside them or without', (t) => {
  const [chosen, rejected, text] = [
    [-1, -2, -4],
    [-3, 0, 0],
    [-1, -1, -1],
  ]
  const mask = [
    [1, 1, 1],
    [1, 0, 0],
    [1, 1, 1],
  ]
  const run = (nllRows: number) => {
    const objective = preferenceObjective({ loss: preferenceLoss({ name: 'ld-dpo', alpha: 0.5 }), pairs: 1, nllRows })
    const extras = [[-2], [-2], [1], [1]].map((values) => tf.tensor1d(values))
    const rows = [chosen, rejected, text].slice(0, objective.rows)
    return objective.loss(tf.tensor2d(rows), tf.tensor2d(mask.slice(0, objective.rows)), extras).loss.dataSync()
  }
  const preference = Math.log1p(Math.exp(-0.1 * (-1 - 3 + 2 - (-3 + 2)))) // −1 + ½(−2 − 4) against −3
  close(t, run(0), [preference])
  close(t, run(1), [preference + 1])
})

test('RRHF over a batch: rank by means a token, likelihood of the best, padding out', (t) => {
  const logprobs = tf.tensor2d([
    [-1, -3, 0],
    [-1, 0, 0],
    [-2, -2, -2],
    [0, 0, 0],
    [-9, 0, 0],
    [-9, 0, 0],
  ])
  const mask = tf.tensor2d([
    [1, 1, 0],
    [1, 0, 0],
    [1, 1, 1],
    [0, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ])
  const extras = [tf.tensor1d([5, 1, 3, 0, 7, 7]), tf.tensor1d([1, 1, 1, 0, 0, 0])]
  const { loss, metrics } = rrhf({ prompts: 2, completions: 3, nllCoefficient: 2 })(logprobs, mask, extras)
  // means −2, −1, −2; rewards 5, 1, 3: the second is above both that beat it, by 1 each
  close(
    t,
    metrics.map((metric) => metric.dataSync()[0]!),
    [2, 4],
  )
  close(t, loss.dataSync(), [10])
})
