import { join } from 'node:path'
import test from 'ava'
import { loadCheckpoint } from '../../models/checkpoint.js'
import { createLoraTrainer, initLora, mergeLora } from '../../models/lora.js'
import { nllLoss } from '../../models/nll.js'
import { createTrainer } from '../../models/trainer.js'
import { seededRandom } from '../../runtime/time/random.js'
import { fixtures, plainAdam, worst } from './support.js'

const lora = { rank: 2, alpha: 4, targets: 'all-linear' } as const
const optimizer = { ...plainAdam, learningRate: 0.02, clipNorm: 1 }

const load = (name: string) => loadCheckpoint(join(fixtures, name))

/** Two sequences of unlike lengths. */
function someSequences(vocabSize: number) {
  const random = seededRandom(5, 'sequences')
  return [7, 5].map((length) => ({
    tokens: Int32Array.from({ length }, () => random.int(vocabSize)),
    promptLength: 2,
  }))
}

for (const name of ['gpt2', 'gpt-neox-parallel', 'qwen3', 'mistral-window', 'llama-biases-llama3-rope'])
  test(`${name}: an adapter trains, and merged it is the same model`, async (t) => {
    const { config, params } = await load(name)
    const sequences = someSequences(config.vocabSize)
    const adapter = initLora(config, lora, seededRandom(3))
    const engine = { backend: 'onnx' } as const
    const trainer = createLoraTrainer(config, params, adapter, nllLoss, { optimizer, engine, rows: 2, lora })
    const first = await trainer.step(sequences)
    for (let step = 0; step < 10; step++) await trainer.step(sequences)
    await trainer.pull()
    const merged = mergeLora(config, params, adapter, lora)
    const { loss } = await trainer.step(sequences)
    t.true(loss < first.loss, `${first.loss} to ${loss}`)
    const plain = createTrainer(config, merged, nllLoss, { optimizer, engine, rows: 2 })
    t.true(Math.abs((await plain.step(sequences)).loss - loss) < 1e-5)
    await Promise.all([trainer.dispose(), plain.dispose()])
  })

for (const backend of ['cpu', 'onnx'] as const)
  test(`${backend}: an adapter updated in the graph goes the way of one updated outside`, async (t) => {
    const { config, params } = await load('tiny-llama')
    const sequences = someSequences(config.vocabSize)
    const [host, graph] = await Promise.all(
      (['host', 'graph'] as const).map(async (update) => {
        const adapter = initLora(config, lora, seededRandom(3))
        const options = { optimizer, engine: { backend }, rows: 2, lora, update }
        const trainer = createLoraTrainer(config, params, adapter, nllLoss, options)
        const losses: number[] = []
        for (let step = 0; step < 8; step++) losses.push((await trainer.step(sequences)).loss)
        await trainer.pull()
        await trainer.dispose()
        return { losses, adapter }
      }),
    )
    t.true(worst(graph!.losses, host!.losses) < 1e-4)
    t.true(worst(graph!.adapter, host!.adapter) < 1e-3)
    t.true(host!.losses[7]! < host!.losses[0]!)
  })
