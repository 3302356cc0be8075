import { TroupeError } from '../runtime/kernel/errors.js'
import type { Compiled, HostTensor, TensorInput } from '../runtime/tensor/compile.js'
import { bucketed, checkTokens, rowBucket } from './batch.js'
import { type Candidate, completionOf, createCandidate, heldTokens } from './candidate.js'
import type { DecoderConfig } from './config.js'
import type { CacheSize, DecodeCache, Entering, PrefilledKeys } from './kv-cache.js'
import { freeAll } from './resident-cache.js'
import type { HeldWeights, WeightSource } from './resident-weights.js'
import { Sampler } from './sampling.js'
import type { Completion, GenerateControl, GenerateRequest, SamplingOptions } from './types.js'

/** What generation needs of a model. */
export interface GenerationGraphs {
  readonly config: DecoderConfig
  readonly prefill: Compiled
  readonly step: Compiled
  /** Keys and values are those of so many layers: of all the models that the graphs read side by side. */
  readonly layers: number
  /** What the graphs give after the probabilities: `drawOfOne`'s offsets, or the policy's own log-probabilities. */
  readonly policy: 'offsets' | 'logprobs'
  readonly weights: WeightSource
  /** Keys and values stay on the device between runs. */
  readonly isResident: boolean
  emptyCache(size: CacheSize): DecodeCache
  /** Most sequences decoded at once. */
  readonly batch: number
}

const LENGTH_BUCKET = 16
const PREFILL_ROWS = 32
/**
 * Rows are decoded in multiples of this, idle ones among them: measured with ONNX Runtime, 2 or 3 rows differ from 8 in
 * last bits (one row takes another path through products, vector loops end elsewhere), and 8, 16, 32 and 64 do not.
 */
const ROW_MULTIPLE = 8
/** Outputs before the keys and values: probabilities, and what gives the policy's. */
const DRAWN = 2

/** Prefilled keys, and how many candidates still need them. */
interface SharedKeys extends PrefilledKeys {
  users: number
}

/** A candidate whose prompt has been read and which waits for a row. */
interface Waiting {
  readonly candidate: Candidate
  readonly keys: SharedKeys
  readonly from: number
}

/** What a draw needs, for all rows. */
interface Drawable {
  /** [B, V] */
  readonly probabilities: Float32Array
  /** Offsets [B] or log-probabilities [B, V]. */
  readonly policy: Float32Array
}

/**
 * Generates all completions with continuous batching: prompts are read once, in chunks of one padded length; their
 * candidates share that reading; a candidate that ends leaves its row to the next one. Rows shrink at the end and the cache
 * grows with the longest sequence, both in steps, so that few graphs occur. All choices depend on the requests alone, so
 * equal requests, weights and seeds give equal tokens. Throws `E_CONFIG` (options), `E_DATA` (prompts, weights that are not
 * numbers) and the signal's reason.
 */
export async function generateAll(
  graphs: GenerationGraphs,
  requests: readonly GenerateRequest[],
  options: SamplingOptions,
  control: GenerateControl = {},
): Promise<Completion[][]> {
  const run = new GenerationRun(graphs, requests, options, control)
  await run.finish()
  return run.completions
}

class GenerationRun {
  readonly completions: Completion[][]
  readonly #graphs: GenerationGraphs
  readonly #requests: readonly GenerateRequest[]
  readonly #options: SamplingOptions
  readonly #control: GenerateControl
  readonly #sampler: Sampler
  readonly #stops: Set<number>
  /** 1 where the choice is greedy. */
  readonly #temperature: number
  /** Requests not yet read, the shortest prompt first. */
  readonly #unread: number[]
  readonly #waiting: Waiting[] = []
  readonly #shared = new Set<SharedKeys>()
  #rows: (Candidate | undefined)[]
  #cache: DecodeCache
  #weights: HeldWeights | undefined
  #version: number | undefined

  constructor(
    graphs: GenerationGraphs,
    requests: readonly GenerateRequest[],
    options: SamplingOptions,
    control: GenerateControl,
  ) {
    this.#sampler = new Sampler(options)
    requests.forEach((request, index) => {
      checkRequest(graphs.config, request, index)
    })
    this.#graphs = graphs
    this.#requests = requests
    this.#options = options
    this.#control = control
    this.#stops = new Set(options.stopTokens)
    this.#temperature = options.temperature === 0 ? 1 : options.temperature
    this.#unread = requests.map((_, index) => index).filter((index) => requests[index]!.n > 0)
    this.#unread.sort((a, b) => requests[a]!.prompt.length - requests[b]!.prompt.length || a - b)
    this.completions = requests.map(() => [])
    const wanted = requests.reduce((sum, { n }) => sum + n, 0)
    const rows = this.#rowBucket(wanted)
    this.#rows = new Array<Candidate | undefined>(rows).fill(undefined)
    this.#cache = graphs.emptyCache({ rows, slots: LENGTH_BUCKET })
  }

  async finish(): Promise<void> {
    let done = false
    try {
      for (;;) {
        await this.#admit()
        if (!this.#rows.some((candidate) => candidate)) break
        await this.#step()
      }
      done = true
    } finally {
      this.#cache.release(done)
      for (const keys of this.#shared) freeAll(keys.tensors)
      this.#weights?.release()
    }
  }

  #rowBucket(count: number): number {
    return rowBucket(count, bucketed(this.#graphs.batch, ROW_MULTIPLE))
  }

  /** Looks for an end and for newer weights; to be called before every run of a graph. */
  async #refresh(): Promise<readonly TensorInput[]> {
    this.#control.signal?.throwIfAborted()
    const version = this.#control.updates?.refresh()
    if (!this.#weights || version !== this.#version) {
      this.#weights?.release()
      this.#weights = undefined
      this.#weights = await this.#graphs.weights(version)
      this.#version = version
    }
    return this.#weights.inputs
  }

  /** Fills free rows, reading further prompts as needed, and fits the cache to what is in it. */
  async #admit(): Promise<void> {
    const entering: (Entering & { readonly keys: SharedKeys })[] = []
    const most = Math.min(this.#rows.length, this.#graphs.batch)
    for (let row = 0; row < most; row++) {
      if (this.#rows[row]) continue
      while (this.#waiting.length === 0 && this.#unread.length > 0) await this.#read()
      const waiting = this.#waiting.shift()
      if (!waiting) break
      const { candidate, keys, from } = waiting
      this.#rows[row] = candidate
      entering.push({ row, keys, from, length: heldTokens(candidate) })
    }
    await this.#fit(entering)
    for (const { keys } of entering) this.#leave(keys)
  }

  /** One candidate less needs these keys. */
  #leave(keys: SharedKeys): void {
    if (--keys.users > 0) return
    freeAll(keys.tensors)
    this.#shared.delete(keys)
  }

  /** Shrinks the rows once half of them are idle for good, and grows the cache to the longest sequence plus one. */
  async #fit(entering: readonly Entering[]): Promise<void> {
    const active = this.#active()
    const longest = active.reduce((most, row) => Math.max(most, heldTokens(this.#rows[row]!)), 0)
    const slots = Math.max(this.#cache.slots, bucketed(longest + 1, LENGTH_BUCKET))
    const idle = entering.length === 0 && this.#waiting.length === 0 && this.#unread.length === 0
    const rows = idle ? Math.min(this.#rowBucket(active.length), this.#rows.length) : this.#rows.length
    if (slots === this.#cache.slots && rows === this.#rows.length && entering.length === 0) return
    const keep = rows === this.#rows.length ? this.#rows.map((_, row) => row) : active
    this.#cache = await this.#cache.arranged({ rows, slots }, keep, entering)
    this.#rows = Array.from({ length: rows }, (_, row) => this.#rows[keep[row] ?? -1])
  }

  #active(): number[] {
    return this.#rows.flatMap((candidate, row) => (candidate ? [row] : []))
  }

  /** Positions that a sequence is padded to. They depend on it alone, and so do its last bits. */
  #padded(length: number): number {
    return Math.min(bucketed(length, LENGTH_BUCKET), this.#graphs.config.maxPositionEmbeddings)
  }

  /** Reads the next prompts of one padded length, and draws the first token of each of their candidates. */
  async #read(): Promise<void> {
    const length = this.#padded(this.#requests[this.#unread[0]!]!.prompt.length)
    const same = this.#unread.findIndex((index) => this.#padded(this.#requests[index]!.prompt.length) !== length)
    const chunk = this.#unread.splice(0, Math.min(PREFILL_ROWS, same < 0 ? PREFILL_ROWS : same))
    const weights = await this.#refresh()
    const prompts = chunk.map((index) => this.#requests[index]!.prompt)
    const { drawable, keys } = await this.#prefill(weights, prompts, length)
    this.#shared.add(keys)
    chunk.forEach((request, from) => {
      for (let index = 0; index < this.#requests[request]!.n; index++) {
        const candidate = createCandidate(
          request,
          index,
          this.#requests[request]!,
          this.#limitOf(request),
          this.#version,
        )
        if (this.#draw(candidate, drawable, from)) continue
        this.#waiting.push({ candidate, keys, from })
        keys.users++
      }
    })
    keys.users++
    this.#leave(keys)
  }

  #limitOf(request: number): number {
    const room = this.#graphs.config.maxPositionEmbeddings - this.#requests[request]!.prompt.length
    return Math.min(this.#options.maxNewTokens, room)
  }

  /** Runs sequences of at most `length` tokens through the model. */
  async #prefill(weights: readonly TensorInput[], sequences: readonly Int32Array[], length: number) {
    const { config, prefill } = this.#graphs
    const rows = rowBucket(sequences.length, PREFILL_ROWS)
    const tokens = new Int32Array(rows * length).fill(config.padTokenId)
    const last = new Int32Array(rows)
    sequences.forEach((sequence, row) => {
      tokens.set(sequence, row * length)
      last[row] = row * length + sequence.length - 1
    })
    const { drawable, tensors } = await this.#run(prefill, [
      ...weights,
      { dtype: 'int32', shape: [rows, length], data: tokens },
      { dtype: 'int32', shape: [rows], data: last },
      this.#temperatureInput(),
    ])
    return { drawable, keys: { length, tensors, users: 0 } satisfies SharedKeys }
  }

  #temperatureInput(): HostTensor {
    return { dtype: 'float32', shape: [1], data: Float32Array.of(this.#temperature) }
  }

  async #run(graph: Compiled, inputs: readonly TensorInput[]): Promise<{ drawable: Drawable; tensors: TensorInput[] }> {
    const { isResident, layers } = this.#graphs
    const keys = Array.from({ length: 2 * layers }, (_, i) => DRAWN + i)
    const { host, kept } = isResident
      ? await graph.runKept(inputs, new Set(keys))
      : { host: await graph.run(inputs), kept: [] }
    const [probabilities, policy] = host.map(({ data }) => data as Float32Array) as [Float32Array, Float32Array]
    return { drawable: { probabilities, policy }, tensors: isResident ? kept : host.slice(DRAWN) }
  }

  /** Decodes one token of every row. */
  async #step(): Promise<void> {
    const { config, step } = this.#graphs
    const weights = await this.#refresh()
    if (this.#control.updates?.keys === 'recompute') await this.#reread(weights)
    const rows = this.#rows.length
    const tokens = Int32Array.from(this.#rows, (candidate) => candidate?.tokens.at(-1) ?? config.padTokenId)
    const { open, layers } = this.#cache.inputs()
    const { drawable, tensors } = await this.#run(step, [
      ...weights,
      { dtype: 'int32', shape: [rows], data: tokens },
      { dtype: 'int32', shape: [rows], data: this.#cache.lengths },
      open,
      this.#temperatureInput(),
      ...layers,
    ])
    const going: number[] = []
    try {
      for (const row of this.#active())
        if (this.#draw(this.#rows[row]!, drawable, row)) this.#rows[row] = undefined
        else going.push(row)
    } finally {
      this.#cache.advance(going, tensors)
    }
  }

  /** Reads all but the last token of the sequences anew whose keys were written by other weights than the present. */
  async #reread(weights: readonly TensorInput[]): Promise<void> {
    const stale = this.#active().filter((row) => this.#rows[row]!.keysVersion !== this.#version)
    const lengthOf = (row: number) => this.#padded(heldTokens(this.#rows[row]!))
    stale.sort((a, b) => lengthOf(a) - lengthOf(b) || a - b)
    for (let at = 0; at < stale.length; ) {
      this.#control.signal?.throwIfAborted()
      const length = lengthOf(stale[at]!)
      const chunk = stale.slice(at, at + PREFILL_ROWS).filter((row) => lengthOf(row) === length)
      const candidates = chunk.map((row) => this.#rows[row]!)
      const sequences = candidates.map(({ prompt, tokens }) => Int32Array.of(...prompt, ...tokens.slice(0, -1)))
      const { keys } = await this.#prefill(weights, sequences, length)
      const entering = chunk.map((row, from) => ({ row, keys, from, length: sequences[from]!.length }))
      const all = this.#rows.map((_, row) => row)
      this.#shared.add(keys)
      this.#cache = await this.#cache.arranged(this.#cache, all, entering)
      this.#leave(keys)
      for (const candidate of candidates) candidate.keysVersion = this.#version
      at += chunk.length
    }
  }

  /** Draws the candidate's next token from row `row`; true when that was its last. */
  #draw(candidate: Candidate, drawable: Drawable, row: number): boolean {
    const { vocabSize } = this.#graphs.config
    const start = row * vocabSize
    const { token, logprob } = this.#sampler.draw(drawable.probabilities, start, vocabSize, candidate.random.float)
    const policy = this.#policyLogprob(drawable, row, token)
    if (!Number.isFinite(logprob) || !Number.isFinite(policy))
      throw new TroupeError('E_DATA', 'the model gives probabilities that are not numbers', {
        where: 'generate',
        hint: 'Its weights have diverged: lower the learning rate, or go back to an earlier checkpoint',
      })
    candidate.tokens.push(token)
    candidate.logprobs.push(policy)
    candidate.sampling.push(logprob)
    if (this.#version !== undefined) candidate.versions.push(this.#version)
    const stopped = this.#stops.has(token)
    if (!stopped && candidate.tokens.length < candidate.limit) return false
    this.completions[candidate.request]![candidate.index] = completionOf(candidate, stopped ? 'stop' : 'length')
    return true
  }

  #policyLogprob({ probabilities, policy }: Drawable, row: number, token: number): number {
    const { config, policy: kind } = this.#graphs
    const at = row * config.vocabSize + token
    return kind === 'logprobs' ? policy[at]! : Math.log(probabilities[at]!) * this.#temperature + policy[row]!
  }
}

function checkRequest(config: DecoderConfig, { prompt, n }: GenerateRequest, index: number): void {
  checkTokens(config, prompt, index, 1)
  if (!Number.isSafeInteger(n) || n < 0)
    throw new TroupeError('E_DATA', `sequence ${index}: n must be a whole number, not ${n}`, { where: 'generate' })
}
