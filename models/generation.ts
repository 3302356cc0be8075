import { TroupeError } from '../runtime/kernel/errors.js'
import type { Compiled, HostTensor } from '../runtime/tensor/compile.js'
import type { Random } from '../runtime/time/random.js'
import { bucketed, checkTokens, rowBucket } from './batch.js'
import type { BufferPool } from './buffer-pool.js'
import type { DecoderConfig } from './config.js'
import { KvCache, type PrefilledKeys } from './kv-cache.js'
import { Sampler } from './sampling.js'
import type { Completion, GenerateRequest, SamplingOptions } from './types.js'

/** What generation needs of a model: its two graphs and, freshly before each call, its weights. */
export interface GenerationGraphs {
  readonly config: DecoderConfig
  readonly prefill: Compiled
  readonly step: Compiled
  readonly weights: readonly HostTensor[]
  /** Arrays of past caches. */
  readonly pool: BufferPool
  /** Most sequences decoded at once. */
  readonly batch: number
}

const LENGTH_BUCKET = 16
const PREFILL_ROWS = 32

/** One completion in the making. */
interface Candidate {
  readonly request: number
  readonly index: number
  readonly random: Random
  /** Most new tokens: asked for, or left before the model's last position. */
  readonly limit: number
  readonly tokens: number[]
  readonly logprobs: number[]
  readonly sampling: number[]
}

/** A candidate whose prompt has been read and which waits for a row. */
interface Waiting {
  readonly candidate: Candidate
  readonly keys: PrefilledKeys
  readonly row: number
  readonly length: number
}

/**
 * Generates all completions with continuous batching: prompts are read once, in chunks of similar length; their
 * candidates share that reading; a candidate that ends leaves its row to the next one. Rows shrink at the end and the cache
 * grows with the longest sequence, both in steps, so that few graphs occur. All choices depend on the requests alone, so
 * equal requests, weights and seeds give equal tokens. Throws `E_CONFIG` (options) and `E_DATA` (prompts).
 */
export async function generateAll(
  graphs: GenerationGraphs,
  requests: readonly GenerateRequest[],
  options: SamplingOptions,
): Promise<Completion[][]> {
  const run = new GenerationRun(graphs, requests, options)
  await run.finish()
  return run.completions
}

class GenerationRun {
  readonly completions: Completion[][]
  readonly #graphs: GenerationGraphs
  readonly #requests: readonly GenerateRequest[]
  readonly #options: SamplingOptions
  readonly #sampler: Sampler
  readonly #stops: Set<number>
  readonly #inverse: HostTensor
  /** Requests not yet read, the shortest prompt first. */
  readonly #unread: number[]
  readonly #waiting: Waiting[] = []
  #rows: (Candidate | undefined)[]
  #cache: KvCache

  constructor(graphs: GenerationGraphs, requests: readonly GenerateRequest[], options: SamplingOptions) {
    const { config } = graphs
    this.#sampler = new Sampler(options)
    requests.forEach(({ prompt }, index) => {
      checkTokens(config, prompt, index, 1)
    })
    this.#graphs = graphs
    this.#requests = requests
    this.#options = options
    this.#stops = new Set(options.stopTokens)
    const inverse = options.temperature === 0 ? 1 : 1 / options.temperature
    this.#inverse = { dtype: 'float32', shape: [1], data: Float32Array.of(inverse) }
    this.#unread = requests.map((_, index) => index).filter((index) => requests[index]!.n > 0)
    this.#unread.sort((a, b) => requests[a]!.prompt.length - requests[b]!.prompt.length || a - b)
    this.completions = requests.map(() => [])
    const wanted = requests.reduce((sum, { n }) => sum + n, 0)
    const rows = rowBucket(wanted, graphs.batch)
    this.#rows = new Array<Candidate | undefined>(rows).fill(undefined)
    this.#cache = new KvCache(config, rows, LENGTH_BUCKET, graphs.pool)
  }

  async finish(): Promise<void> {
    for (;;) {
      await this.#admit()
      if (!this.#rows.some((candidate) => candidate)) return this.#cache.release()
      await this.#step()
    }
  }

  /** Fills free rows, reading further prompts as needed, and fits the cache to what is in it. */
  async #admit(): Promise<void> {
    const entering: { row: number; waiting: Waiting }[] = []
    for (let row = 0; row < this.#rows.length; row++) {
      if (this.#rows[row]) continue
      while (this.#waiting.length === 0 && this.#unread.length > 0) await this.#read()
      const waiting = this.#waiting.shift()
      if (!waiting) break
      this.#rows[row] = waiting.candidate
      entering.push({ row, waiting })
    }
    this.#fit(entering)
    for (const { row, waiting } of entering) this.#cache.insert(row, waiting.keys, waiting.row, waiting.length)
  }

  /** Shrinks the rows once half of them are idle for good, and grows the cache to the longest sequence plus one. */
  #fit(entering: readonly { row: number; waiting: Waiting }[]): void {
    const fresh = new Set(entering.map(({ row }) => row))
    const active = this.#rows.flatMap((candidate, row) => (candidate ? [row] : []))
    let longest = 0
    for (const row of active) if (!fresh.has(row)) longest = Math.max(longest, this.#cache.lengths[row]!)
    for (const { waiting } of entering) longest = Math.max(longest, waiting.length)
    const slots = Math.max(this.#cache.slots, bucketed(longest + 1, LENGTH_BUCKET))
    const idle = entering.length === 0 && this.#waiting.length === 0 && this.#unread.length === 0
    const rows = idle ? rowBucket(active.length, this.#rows.length) : this.#rows.length
    if (slots === this.#cache.slots && rows === this.#rows.length) return
    const keep = rows === this.#rows.length ? this.#rows.map((_, row) => row) : active
    this.#cache = this.#cache.resized(this.#graphs.config, rows, slots, keep)
    this.#rows = Array.from({ length: rows }, (_, row) => this.#rows[keep[row] ?? -1])
  }

  /** Reads the next prompts through the model and draws the first token of each of their candidates. */
  async #read(): Promise<void> {
    const { config, weights, prefill } = this.#graphs
    const chunk = this.#unread.splice(0, PREFILL_ROWS)
    const rows = rowBucket(chunk.length, PREFILL_ROWS)
    const length = bucketed(Math.max(...chunk.map((index) => this.#requests[index]!.prompt.length)), LENGTH_BUCKET)
    const tokens = new Int32Array(rows * length).fill(config.padTokenId)
    const last = new Int32Array(rows)
    chunk.forEach((index, row) => {
      const { prompt } = this.#requests[index]!
      tokens.set(prompt, row * length)
      last[row] = row * length + prompt.length - 1
    })
    const [logp, probabilities, ...caches] = await prefill.run([
      ...weights,
      { dtype: 'int32', shape: [rows, length], data: tokens },
      { dtype: 'int32', shape: [rows], data: last },
      this.#inverse,
    ])
    const arrays = caches.map(({ data }) => data as Float32Array)
    const layers = Array.from({ length: config.numHiddenLayers }, (_, layer) => ({
      kT: arrays[2 * layer]!,
      v: arrays[2 * layer + 1]!,
    }))
    chunk.forEach((request, row) => {
      const { prompt, n } = this.#requests[request]!
      for (let index = 0; index < n; index++) {
        const candidate = this.#candidate(request, index)
        if (this.#draw(candidate, logp!.data as Float32Array, probabilities!.data as Float32Array, row)) continue
        this.#waiting.push({ candidate, keys: { length, layers }, row, length: prompt.length })
      }
    })
  }

  #candidate(request: number, index: number): Candidate {
    const { prompt, random } = this.#requests[request]!
    const limit = Math.min(this.#options.maxNewTokens, this.#graphs.config.maxPositionEmbeddings - prompt.length)
    return { request, index, random: random.stream(index), limit, tokens: [], logprobs: [], sampling: [] }
  }

  /** Decodes one token of every row. */
  async #step(): Promise<void> {
    const { config, weights, step } = this.#graphs
    const rows = this.#rows.length
    const tokens = Int32Array.from(this.#rows, (candidate) => candidate?.tokens.at(-1) ?? config.padTokenId)
    const cache = this.#cache.inputs()
    const [logp, probabilities, ...fresh] = await step.run([
      ...weights,
      { dtype: 'int32', shape: [rows], data: tokens },
      { dtype: 'int32', shape: [rows], data: this.#cache.lengths },
      cache.open,
      this.#inverse,
      ...cache.layers,
    ])
    const keys = fresh.map(({ data }) => data as Float32Array)
    this.#rows.forEach((candidate, row) => {
      if (!candidate) return
      if (this.#draw(candidate, logp!.data as Float32Array, probabilities!.data as Float32Array, row))
        this.#rows[row] = undefined
      else this.#cache.append(row, keys)
    })
  }

  /** Draws the candidate's next token from row `row`; true when that was its last. */
  #draw(candidate: Candidate, logp: Float32Array, probabilities: Float32Array, row: number): boolean {
    const { vocabSize } = this.#graphs.config
    const { token, logprob } = this.#sampler.draw(probabilities, row * vocabSize, vocabSize, candidate.random.float)
    if (!Number.isFinite(logprob))
      throw new TroupeError('E_DATA', 'the model gives probabilities that are not numbers', {
        where: 'generate',
        hint: 'Its weights have diverged: lower the learning rate, or go back to an earlier checkpoint',
      })
    candidate.tokens.push(token)
    candidate.logprobs.push(logp[row * vocabSize + token]!)
    candidate.sampling.push(logprob)
    const stopped = this.#stops.has(token)
    if (!stopped && candidate.tokens.length < candidate.limit) return false
    this.completions[candidate.request]![candidate.index] = {
      tokens: Int32Array.from(candidate.tokens),
      logprobs: Float32Array.from(candidate.logprobs),
      samplingLogprobs: Float32Array.from(candidate.sampling),
      finish: stopped ? 'stop' : 'length',
    }
    return true
  }
}
