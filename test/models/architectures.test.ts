import test from 'ava'
import type { DecoderConfig } from '../../models/config.js'
import { initParams } from '../../models/layout.js'
import { openModel } from '../../models/model.js'
import type { Completion } from '../../models/types.js'
import { seededRandom } from '../../runtime/time/random.js'
import { tiny, worst } from './support.js'

const { rmsNormEps, ropeTheta, ...common } = tiny
const neox = {
  ...common,
  architecture: 'gpt_neox',
  numKeyValueHeads: 4,
  headDim: 8,
  hiddenSize: 32,
  layerNormEps: 1e-5,
}
const every: Record<string, DecoderConfig> = {
  'mistral with a window of 5': { ...tiny, architecture: 'mistral', slidingWindow: 5 },
  qwen2: { ...tiny, architecture: 'qwen2', slidingWindow: 3, windowFromLayer: 1 },
  qwen3: { ...tiny, architecture: 'qwen3', attentionBias: true },
  gpt2: { ...common, architecture: 'gpt2', numKeyValueHeads: 4, headDim: 2, layerNormEps: 1e-5 },
  gpt_neox: { ...neox, ropeTheta, rotaryShare: 0.25, useParallelResidual: true } as DecoderConfig,
  'llama with biases': { ...tiny, attentionBias: true, mlpBias: true },
}

for (const [name, config] of Object.entries(every))
  for (const backend of ['cpu', 'onnx'] as const)
    test(`${name}, ${backend}: decoding with the cache gives the log-probabilities of the full forward pass`, async (t) => {
      const random = seededRandom(4, name)
      const params = initParams(config, random).map((value) => value + 0.3 * random.normal())
      const model = openModel(config, params, { backend })
      const prompt = Int32Array.of(1, 9, 4, 5, 6, 11, 12)
      const options = { temperature: 1, topK: 0, topP: 1, maxNewTokens: 14, stopTokens: [] }
      const [[completion]] = (await model.generate([{ prompt, n: 1, random }], options)) as [[Completion]]
      const tokens = Int32Array.of(...prompt, ...completion.tokens)
      const [whole] = await model.logprobs([{ tokens, promptLength: prompt.length }])
      t.true(worst(completion.logprobs, whole!) < 1e-4)
      await model.dispose()
    })

for (const backend of ['cpu', 'onnx'] as const)
  test(`${backend}: learned positions end where the model ends, though batches are padded beyond`, async (t) => {
    const config = { ...every.gpt2!, maxPositionEmbeddings: 19 }
    const random = seededRandom(5)
    const params = initParams(config, random).map((value) => value + 0.3 * random.normal())
    const model = openModel(config, params, { backend })
    const prompt = Int32Array.of(1, 9, 4, 5, 6, 11, 12)
    const options = { temperature: 1, topK: 0, topP: 1, maxNewTokens: 40, stopTokens: [] }
    const [[completion]] = (await model.generate([{ prompt, n: 1, random }], options)) as [[Completion]]
    t.is(completion.tokens.length, 12)
    const tokens = Int32Array.of(...prompt, ...completion.tokens)
    const [whole] = await model.logprobs([{ tokens, promptLength: prompt.length }])
    t.true(worst(completion.logprobs, whole!) < 1e-4)
    await model.dispose()
  })
