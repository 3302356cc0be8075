import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadCheckpoint, saveCheckpoint } from '../../models/checkpoint.js'
import { openModel } from '../../models/model.js'
import type { Completion } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { fixtures, logitsOf, readFixture, worst } from './support.js'

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
