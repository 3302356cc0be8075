import type { Random } from '../runtime/time/random.js'
import type { Completion, GenerateRequest } from './types.js'

/** One completion in the making. */
export interface Candidate {
  readonly request: number
  readonly index: number
  readonly prompt: Int32Array
  readonly random: Random
  /** Most new tokens: asked for, or left before the model's last position. */
  readonly limit: number
  readonly tokens: number[]
  readonly logprobs: number[]
  readonly sampling: number[]
  /** Of the weights that drew each token, where versions are followed. */
  readonly versions: number[]
  /** Of the weights that read the prompt, or all again. */
  keysVersion: number | undefined
}

export function createCandidate(
  request: number,
  index: number,
  { prompt, random }: GenerateRequest,
  limit: number,
  keysVersion: number | undefined,
): Candidate {
  const lists = { tokens: [], logprobs: [], sampling: [], versions: [] }
  return { request, index, prompt, random: random.stream(index), limit, keysVersion, ...lists }
}

/** Positions of a candidate that are in the cache: all but its last token. */
export function heldTokens({ prompt, tokens }: Candidate): number {
  return prompt.length + tokens.length - 1
}

export function completionOf(candidate: Candidate, finish: Completion['finish']): Completion {
  const { tokens, logprobs, sampling, versions } = candidate
  return {
    tokens: Int32Array.from(tokens),
    logprobs: Float32Array.from(logprobs),
    samplingLogprobs: Float32Array.from(sampling),
    ...(versions.length > 0 ? { versions: Int32Array.from(versions) } : {}),
    finish,
  }
}
