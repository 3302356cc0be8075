import type { DecoderConfig } from './config.js'
import { drawOfOne } from './generation-graphs.js'
import { createGenerator, MAX_GRAPHS } from './generator.js'
import { weightInputs } from './graphs.js'
import { checkParams } from './layout.js'
import { createScorer } from './scoring.js'
import type { EngineOptions, LanguageModel } from './types.js'

/**
 * A model to read from. `params` stays the caller's: what is written into it between two calls is what the second one
 * uses. Graphs are compiled on first use, one per shape. Throws `E_CONFIG`.
 */
export function openModel(config: DecoderConfig, params: Float32Array, engine: EngineOptions): LanguageModel {
  checkParams(config, params)
  const weights = weightInputs(config, params)
  const generator = createGenerator(config, weights, { draw: drawOfOne, policy: 'offsets', models: 1 }, engine)
  const { backend, threads = 1, packing = false } = engine
  const score = createScorer(config, weights, { backend, threads, packing, maxGraphs: MAX_GRAPHS })
  return {
    config,
    params,
    generate: generator.generate,
    logprobs: score.logprobs,
    dispose: async () => {
      await Promise.all([generator.dispose(), score.dispose()])
    },
  }
}
