import { TroupeError } from '../runtime/kernel/errors.js'
import { compile, type HostTensor } from '../runtime/tensor/index.js'
import { BufferPool } from './buffer-pool.js'
import type { DecoderConfig } from './config.js'
import { type GenerationGraphs, generateAll } from './generation.js'
import { arrangeGraph, type DrawGraph, prefillGraph, stepGraph } from './generation-graphs.js'
import { HostCache } from './kv-cache.js'
import { ResidentCache } from './resident-cache.js'
import { hostWeights, isHostBackend, ResidentWeights } from './resident-weights.js'
import type { EngineOptions, LanguageModel } from './types.js'

const DEFAULT_BATCH = 128

/** Graphs kept of each kind: row counts × lengths. */
export const MAX_GRAPHS = 48

export interface GeneratorOptions {
  readonly draw: DrawGraph
  /** What `draw` gives after the probabilities. */
  readonly policy: GenerationGraphs['policy']
  /** Models of this architecture, read side by side. */
  readonly models: number
}

/** Generation of one model, or of several at once: `weights` are those of each, one after the other. Throws `E_CONFIG`. */
export function createGenerator(
  config: DecoderConfig,
  weights: readonly HostTensor[],
  { draw, policy, models }: GeneratorOptions,
  engine: EngineOptions,
): Pick<LanguageModel, 'generate' | 'dispose'> {
  const batch = engine.batch ?? DEFAULT_BATCH
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw new TroupeError('E_CONFIG', `engine: batch must be a positive integer, not ${batch}`, { where: 'model' })
  const options = { backend: engine.backend, threads: engine.threads ?? 1, maxGraphs: MAX_GRAPHS }
  const isResident = engine.resident ?? !isHostBackend(engine.backend)
  const prefill = compile(prefillGraph(config, draw, models), { name: 'prefill', ...options })
  const step = compile(stepGraph(config, isResident, draw, models), { name: 'decode', ...options })
  const arrange = compile(arrangeGraph, { name: 'cache', ...options })
  const layers = models * config.numHiddenLayers
  const cached = { ...config, numHiddenLayers: layers }
  const pool = new BufferPool()
  const resident = new ResidentWeights(engine.backend, weights)
  const graphs: GenerationGraphs = {
    config,
    prefill,
    step,
    layers,
    policy,
    isResident,
    batch,
    weights: isResident ? resident.hold : hostWeights(weights),
    emptyCache: (size) => (isResident ? ResidentCache.empty(cached, size, arrange) : new HostCache(cached, size, pool)),
  }
  return {
    generate: (requests, sampling, control) => generateAll(graphs, requests, sampling, control),
    async dispose() {
      resident.dispose()
      await Promise.all([prefill, step, arrange].map((graph) => graph.dispose()))
    },
  }
}
