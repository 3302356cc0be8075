import { TroupeError } from '../runtime/kernel/errors.js'
import type { DecoderConfig } from './config.js'
import { drawOfMixture } from './generation-graphs.js'
import { createGenerator } from './generator.js'
import { weightInputs } from './graphs.js'
import { checkParams } from './layout.js'
import type { EngineOptions, LanguageModel } from './types.js'

/**
 * Writes with the geometric mixture of two models of one architecture, token by token proportional to π^(1−b)·μ^b (Nash-MD,
 * Munos et al. 2023, arXiv:2312.00886): π is `first`, the policy, μ is `second`, and `weight` is b, from 0 (the policy) to
 * 1. Both read what was drawn, each with its own keys and values. Temperature, top-k and top-p are of the mixture, and so
 * are a completion's `samplingLogprobs`; its `logprobs` are the policy's, untruncated, at temperature 1.
 *
 * What `openModel` says of `params` holds of both vectors, and with `updates` (see `GenerateControl`) a version is one of
 * the two together. A step costs that of two models. Throws `E_CONFIG`.
 */
export function openMixture(
  config: DecoderConfig,
  first: Float32Array,
  second: Float32Array,
  weight: number,
  engine: EngineOptions,
): Pick<LanguageModel, 'generate' | 'dispose'> {
  checkParams(config, first)
  checkParams(config, second)
  if (!(weight >= 0 && weight <= 1))
    throw new TroupeError('E_CONFIG', `mixture: weight must be from 0 to 1, not ${weight}`, { where: 'mixture' })
  const weights = [...weightInputs(config, first), ...weightInputs(config, second)]
  return createGenerator(config, weights, { draw: drawOfMixture(weight), policy: 'logprobs', models: 2 }, engine)
}
