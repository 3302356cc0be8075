import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import {
  binaryCringe,
  geometricMixture,
  nashMdObjective,
  pairRankerObjective,
  pairwiseCringe,
  ppo,
  preferencesOf,
  reinforceObjective,
  rewardModelObjective,
  rrhf,
} from '../../../alignment/index.js'
import { registerGradients } from '../../../runtime/tensor/gradients/index.js'
import { compile, type HostTensor, type LossFunction } from '../../../runtime/tensor/index.js'
import { host, normal } from '../../runtime/tensor/support.js'
import { close } from './support.js'

registerGradients()

const [ROWS, LENGTH] = [6, 5]
const mask = host('float32', [ROWS, LENGTH], (i) =>
  Number(i % LENGTH > 0 && i % LENGTH < 3 + (Math.floor(i / LENGTH) % 3)),
)
const tokenwise = (seed: number, offset = 0) => {
  const values = normal([ROWS, LENGTH], seed)
  return host('float32', [ROWS, LENGTH], (i) => (values.data[i]! * 0.4 + offset) * mask.data[i]!)
}
const rowwise = (seed: number) => normal([ROWS], seed)
const preferred = host('float32', [2, 3, 3], (i) => preferencesOf(i < 9 ? [1, 3, 2] : [2, 2, 5])[i % 9]!)

interface Traced {
  readonly loss: LossFunction
  readonly extras: readonly HostTensor[]
  /** Which extra the gradient is taken of; default the log-probabilities. */
  readonly of?: number
}

const OBJECTIVES: Readonly<Record<string, Traced>> = {
  ppo: {
    loss: ppo({ rollouts: 4, pretrainRows: 2, pretrainCoefficient: 2 }),
    extras: [tokenwise(2), tokenwise(3, -1), tokenwise(4), tokenwise(5), tokenwise(6)],
  },
  'reinforce by token': {
    loss: reinforceObjective({ correction: { kind: 'truncate', level: 'token', cap: 1.2 } }),
    extras: [rowwise(2), tokenwise(3, -1)],
  },
  'reinforce by sequence': {
    loss: reinforceObjective({ correction: { kind: 'mask', level: 'sequence', low: 0.3, high: 3 } }),
    extras: [rowwise(2), tokenwise(3, -1)],
  },
  'nash-md': { loss: nashMdObjective({ tau: 0.1 }), extras: [rowwise(2), rowwise(3)] },
  rrhf: {
    loss: rrhf({ prompts: 2, completions: 3 }),
    extras: [rowwise(2), host('float32', [ROWS], (i) => Number(i !== 4))],
  },
  'reward model': {
    loss: (_logprobs, _mask, [scores, ...extras], mean) =>
      rewardModelObjective({ prompts: 2, completions: 3 })(scores!, extras, mean),
    extras: [rowwise(2), preferred],
    of: 0,
  },
  'pairwise ranker': {
    loss: (_logprobs, _mask, [scores, ...extras], mean) => pairRankerObjective(scores!, extras, mean),
    extras: [rowwise(2), host('float32', [ROWS], (i) => i / ROWS), host('float32', [ROWS], (i) => Number(i !== 2))],
    of: 0,
  },
}

async function agree(
  t: import('ava').ExecutionContext,
  name: string,
  graph: Parameters<typeof compile>[0],
  inputs: HostTensor[],
) {
  const run = async (backend: 'onnx' | 'cpu') => {
    const compiled = compile(graph, { name, backend })
    const outputs = await compiled.run(inputs)
    await compiled.dispose()
    return outputs.map(({ data }) => data)
  }
  const [native, oracle] = [await run('onnx'), await run('cpu')]
  t.true(oracle[0]!.some((slope) => slope !== 0))
  for (const [i, values] of oracle.entries()) close(t, native[i]!, [...values], 1e-5, `${name} ${i}`)
}

for (const [name, { loss, extras, of }] of Object.entries(OBJECTIVES))
  test(`${name}: the traced graph gives the gradient, the value and the metrics of the oracle`, async (t) => {
    const graph = ([logprobs, rows, ...others]: tf.Tensor[]) => {
      const run = (x: tf.Tensor) =>
        of === undefined ? loss(x, rows!, others) : loss(logprobs!, rows!, others.with(of, x))
      const at = of === undefined ? logprobs! : others[of]!
      const result = run(at)
      return [tf.grad((x: tf.Tensor) => run(x).loss)(at), result.loss, ...result.metrics]
    }
    await agree(t, name, graph, [tokenwise(1, -1), mask, ...extras])
  })

test('Cringe and the mixture of policies can be traced', async (t) => {
  const [tokens, isGood] = [host('int32', [6], (i) => i % 4), host('float32', [6], (i) => i % 2)]
  const graph = ([logits, ids, good, gumbel, reference]: tf.Tensor[]) => {
    const loss = (x: tf.Tensor) => {
      const each = binaryCringe(x, ids!, good!, { k: 2, gumbel: gumbel! })
      const [chosen, rejected] = tf.split(tf.sum(geometricMixture(x, reference!, 0.25), 1), 2)
      const halves = tf.split(each, 2)
      const gate = { margin: 1, temperature: 2, detached: false }
      return tf.sum(pairwiseCringe(tf.add(halves[0]!, halves[1]!), chosen!, rejected!, gate)) as tf.Scalar
    }
    return [tf.grad(loss)(logits!), loss(logits!)]
  }
  await agree(t, 'cringe', graph, [normal([6, 4], 1), tokens, isGood, normal([6, 4], 2), normal([6, 4], 3)])
})

test('Nash-MD over a batch: padding counts for nothing', (t) => {
  const logprobs = tf.tensor2d([
    [-1, -2],
    [-4, 0],
    [0, 0],
  ])
  const rows = tf.tensor2d([
    [1, 1],
    [1, 0],
    [0, 0],
  ])
  const extras = [tf.tensor1d([-2, -5, -7]), tf.tensor1d([0.9, 0.5, 9])]
  const { loss, metrics } = nashMdObjective({ tau: 0.1 })(logprobs, rows, extras)
  close(t, loss.dataSync(), [(3 * (0.4 + 0.1) + 4 * (0 - 0.1)) / 2])
  close(
    t,
    metrics.slice(1).map((metric) => metric.dataSync()[0]!),
    [0.7, 0],
  )
})
