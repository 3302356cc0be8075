import { TroupeError } from '../runtime/kernel/errors.js'
import { compile } from '../runtime/tensor/index.js'
import { BufferPool } from './buffer-pool.js'
import type { DecoderConfig } from './config.js'
import { type GenerationGraphs, generateAll } from './generation.js'
import { arrangeGraph, prefillGraph, stepGraph } from './generation-graphs.js'
import { weightInputs } from './graphs.js'
import { HostCache } from './kv-cache.js'
import { checkParams } from './layout.js'
import { ResidentCache } from './resident-cache.js'
import { hostWeights, isHostBackend, ResidentWeights } from './resident-weights.js'
import { createScorer } from './scoring.js'
import type { EngineOptions, LanguageModel } from './types.js'

const DEFAULT_BATCH = 128

/** Graphs kept of each kind: row counts × lengths. */
const MAX_GRAPHS = 48

/**
 * A model to read from. `params` stays the caller's: what is written into it between two calls is what the second one
 * uses. Graphs are compiled on first use, one per shape. Throws `E_CONFIG`.
 */
export function openModel(config: DecoderConfig, params: Float32Array, engine: EngineOptions): LanguageModel {
  checkParams(config, params)
  const batch = engine.batch ?? DEFAULT_BATCH
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw new TroupeError('E_CONFIG', `engine: batch must be a positive integer, not ${batch}`, { where: 'model' })
  const options = { backend: engine.backend, threads: engine.threads ?? 1, maxGraphs: MAX_GRAPHS }
  const prefill = compile(prefillGraph(config), { name: 'prefill', ...options })
  const isResident = engine.resident ?? !isHostBackend(engine.backend)
  const step = compile(stepGraph(config, isResident), { name: 'decode', ...options })
  const arrange = compile(arrangeGraph, { name: 'cache', ...options })
  const weights = weightInputs(config, params)
  const score = createScorer(config, weights, { ...options, packing: engine.packing ?? false })
  const pool = new BufferPool()
  const resident = new ResidentWeights(engine.backend, weights)
  const graphs: GenerationGraphs = {
    config,
    prefill,
    step,
    isResident,
    batch,
    weights: isResident ? resident.hold : hostWeights(weights),
    emptyCache: (size) => (isResident ? ResidentCache.empty(config, size, arrange) : new HostCache(config, size, pool)),
  }

  return {
    config,
    params,
    generate: (requests, sampling, control) => generateAll(graphs, requests, sampling, control),
    logprobs: score.logprobs,
    dispose: async () => {
      resident.dispose()
      await Promise.all([prefill, step, arrange, score].map((graph) => graph.dispose()))
    },
  }
}
