import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadCheckpoint, saveCheckpoint } from '../../models/checkpoint.js'
import { isDecayed, paramLayout } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import { nllLoss } from '../../models/nll.js'
import { packStored, storedTensors } from '../../models/stored.js'
import { createTrainer } from '../../models/trainer.js'
import type { Completion } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { fixtures, logitsOf, plainAdam, readFixture, worst } from './support.js'

const names = [
  'gpt-neox-parallel',
  'gpt-neox-sequential',
  'gpt2',
  'gpt2-untied-f16',
  'llama-biases-llama3-rope',
  'llama-linear-rope-sharded',
  'mistral-window',
  'qwen2-bf16',
  'qwen2-window',
  'qwen3',
]

/** log softmax(logits)[target] of row `at`, in float64. */
function logprob(logits: readonly number[], vocabulary: number, at: number, target: number): number {
  const row = logits.slice(at * vocabulary, (at + 1) * vocabulary)
  const most = Math.max(...row)
  return row[target]! - most - Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0))
}

for (const name of names)
  for (const backend of ['cpu', 'onnx'] as const)
    test(`${name}, ${backend}: logits, logprobs and greedy continuation are those of transformers`, async (t) => {
      const { config, params } = await loadCheckpoint(join(fixtures, name))
      const expected = readFixture(name, 'expected.json')
      for (const [index, row] of expected.rows.entries())
        t.true(worst(await logitsOf(config, params, Int32Array.from(row), backend), expected.logits[index]) < 1e-4)

      const model = openModel(config, params, { backend })
      const sequences = expected.rows.map((row: number[]) => ({ tokens: Int32Array.from(row), promptLength: 1 }))
      for (const [index, scores] of (await model.logprobs(sequences)).entries()) {
        const { rows, logits } = expected
        const theirs = rows[index].slice(1).map((token: number, at: number) => logprob(logits[index], 40, at, token))
        t.true(worst(scores, theirs) < 1e-4)
      }

      const request = { prompt: Int32Array.from(expected.greedyPrompt), n: 1, random: seededRandom(1) }
      const greedy = { temperature: 0, topK: 0, topP: 1, maxNewTokens: expected.greedy.length, stopTokens: [] }
      const [[completion]] = (await model.generate([request], greedy)) as [[Completion]]
      t.deepEqual([...completion.tokens], expected.greedy)
      await model.dispose()
    })

for (const name of names)
  test(`${name}: what is read and saved is what is read again, and the same bytes of weights`, async (t) => {
    const scratch = await mkdtemp(join(tmpdir(), 'troupe-peers-'))
    const [from, to] = [join(fixtures, name), join(scratch, 'again')]
    const model = await loadCheckpoint(from)
    const dtype = name.endsWith('bf16') ? 'BF16' : name.endsWith('f16') ? 'F16' : 'F32'
    await saveCheckpoint(to, model, { dtype })
    const again = await loadCheckpoint(to)
    t.deepEqual(again.config, model.config)
    t.deepEqual(again.params, model.params)
    if ((await readdir(from)).includes('model.safetensors'))
      t.deepEqual(await readFile(join(to, 'model.safetensors')), await readFile(join(from, 'model.safetensors')))
    await rm(scratch, { recursive: true })
  })

/** The norm of a gradient, and its product with cos 0, cos 1, cos 2, … */
function fingerprint(gradient: Float32Array): [number, number] {
  const along = gradient.reduce((sum, value, index) => sum + value * Math.cos(index), 0)
  return [Math.hypot(...gradient), along]
}

for (const name of names)
  test(`${name}: the loss and its gradients are those of PyTorch`, async (t) => {
    const { config, params } = await loadCheckpoint(join(fixtures, name))
    const { rows, promptLength, nll, gradients } = readFixture(name, 'expected.json')
    const trainer = createTrainer(config, params, nllLoss, {
      optimizer: { ...plainAdam, learningRate: 0 }, // leaves the weights; the first moment then holds a tenth of the gradient
      engine: { backend: 'onnx' },
      rows: 2,
    })
    const { loss } = await trainer.step(rows.map((row: number[]) => ({ tokens: Int32Array.from(row), promptLength })))
    t.true(Math.abs(loss - nll) < 1e-5)
    const gradient = (await trainer.state()).m.map((value) => value * 10)
    const stored = storedTensors(config)
    t.deepEqual(stored.map((tensor) => tensor.name).sort(), Object.keys(gradients).sort())
    for (const tensor of stored) {
      const [norm, along] = fingerprint(packStored(tensor, gradient))
      const [theirNorm, theirs] = gradients[tensor.name]
      t.true(Math.abs(norm - theirNorm) < 1e-4 * (1 + theirNorm), `${tensor.name}: ${norm} and ${theirNorm}`)
      t.true(Math.abs(along - theirs) < 1e-4 * (1 + theirNorm), `${tensor.name}: ${along} and ${theirs}`)
    }
    await trainer.dispose()
  })

test('norms and biases of every architecture are left alone by weight decay, and nothing else is', async (t) => {
  for (const name of names) {
    const { config } = await loadCheckpoint(join(fixtures, name))
    for (const entry of paramLayout(config).entries) t.is(isDecayed(entry.name), entry.shape.length === 2, entry.name)
  }
})
