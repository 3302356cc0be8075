import { TroupeError } from '../runtime/kernel/errors.js'
import { type Backend, compile } from '../runtime/tensor/index.js'
import { bucketed, checkSequence, layBatch, rowBucket } from './batch.js'
import { BufferPool } from './buffer-pool.js'
import type { DecoderConfig } from './config.js'
import { type GenerationGraphs, generateAll } from './generation.js'
import { arrangeGraph, prefillGraph, stepGraph } from './generation-graphs.js'
import { logprobsGraph, weightInputs } from './graphs.js'
import { HostCache } from './kv-cache.js'
import { checkParams } from './layout.js'
import { ResidentCache } from './resident-cache.js'
import { hostWeights, ResidentWeights } from './resident-weights.js'
import type { EngineOptions, LanguageModel, TokenSequence } from './types.js'

const SCORE_ROWS = 32
const LENGTH_BUCKET = 16
const DEFAULT_BATCH = 128

/** Backends whose device is the host: nothing is gained by keeping tensors there. */
const HOST_BACKENDS: ReadonlySet<Backend> = new Set(['onnx', 'cpu'])

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
  const isResident = engine.resident ?? !HOST_BACKENDS.has(engine.backend)
  const step = compile(stepGraph(config, isResident), { name: 'decode', ...options })
  const arrange = compile(arrangeGraph, { name: 'cache', ...options })
  const score = compile(logprobsGraph(config), { name: 'logprobs', ...options })
  const weights = weightInputs(config, params)
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

  /** Scores one chunk of similar length, given as indices into `sequences`, into `results`. */
  async function scoreChunk(sequences: readonly TokenSequence[], chunk: readonly number[], results: Float32Array[]) {
    const members = chunk.map((index) => sequences[index]!)
    const length = bucketed(Math.max(...members.map(({ tokens }) => tokens.length)), LENGTH_BUCKET)
    const laid = layBatch(config, members, rowBucket(chunk.length, SCORE_ROWS), length)
    const [logprobs] = await score.run([...weights, ...laid.inputs])
    chunk.forEach((index, row) => {
      const { tokens, promptLength } = sequences[index]!
      const start = laid.starts[row]!
      results[index] = (logprobs!.data as Float32Array).slice(start, start + tokens.length - promptLength)
    })
  }

  return {
    config,
    params,
    generate: (requests, sampling, control) => generateAll(graphs, requests, sampling, control),
    logprobs: async (sequences) => {
      sequences.forEach((sequence, index) => {
        checkSequence(config, sequence, index)
      })
      const order = sequences.map((_, index) => index)
      order.sort((a, b) => sequences[a]!.tokens.length - sequences[b]!.tokens.length || a - b)
      const results: Float32Array[] = sequences.map(() => new Float32Array(0))
      for (let at = 0; at < order.length; at += SCORE_ROWS)
        await scoreChunk(sequences, order.slice(at, at + SCORE_ROWS), results)
      return results
    },
    dispose: async () => {
      resident.dispose()
      await Promise.all([prefill, step, arrange, score].map((graph) => graph.dispose()))
    },
  }
}
