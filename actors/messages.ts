import type { Opinion } from '../alignment/index.js'
import type { Demonstration } from './world.js'

/** Versions that wrote something, read before the work began and after it ended. */
interface VersionSpan {
  readonly start: number
  readonly end: number
}

/** Consecutive prompts that one update of the learner will consume together with others of the same `update`. */
export interface PromptBatch {
  /** 0, 1, 2, … over the whole run; the learner consumes in this order. */
  readonly id: number
  /** Index of the iteration (0 makes M2, 1 makes M3, …). */
  readonly iteration: number
  /** The learner's update that will consume this batch, counted over the whole run. */
  readonly update: number
  /** No sampling with a version below this one: the staleness bound, worked out by the prompt generator. */
  readonly minVersion: number
  /** The update, and the iteration, ends with this batch. */
  readonly lastOfUpdate: boolean
  readonly lastOfIteration: boolean
  readonly prompts: readonly PlannedPrompt[]
  /** Of the policy that invented the prompts; −1 where no policy did. */
  readonly generatorVersion: number
}

export interface PlannedPrompt {
  readonly id: string
  readonly text: string
  /** What people answered, where the data have it. */
  readonly answers?: readonly string[] | undefined
}

/** Who wrote a completion: the policy, its frozen first model, their geometric mixture, or people (the data). */
export type Writer = 'policy' | 'first' | 'mixture' | 'people'

export interface SampledCompletion {
  /** Default `policy`. */
  readonly writer?: Writer | undefined
  readonly text: string
  readonly tokens: Int32Array
  /** Of its writer (the policy's where the mixture wrote it), untruncated, at T = 1, one a token; zeros where people did. */
  readonly logprobs: Float32Array
  /** The version that wrote each token, where weights were taken while writing. */
  readonly versions?: Int32Array
  readonly finish: 'stop' | 'length'
}

export interface CandidateGroup {
  readonly promptId: string
  readonly prompt: string
  readonly completions: readonly SampledCompletion[]
  /** Of the policy that wrote, alone or in the mixture; −1 where it wrote none. */
  readonly version: VersionSpan
}

export interface CandidateBatch extends Omit<PromptBatch, 'prompts'> {
  /** When its last token was written, by the sampler's clock. */
  readonly writtenAt: number
  readonly groups: readonly CandidateGroup[]
  /** Prompts that were given up on the way because working on them failed again and again. */
  readonly abandoned?: readonly string[] | undefined
}

/** The text of one verdict, as the policy wrote it. */
export interface WrittenJudgment {
  readonly text: string
  readonly tokens: Int32Array
  /** Of its writer, untruncated, at T = 1, one a token. */
  readonly logprobs: Float32Array
  /** Absent where it could not be read. */
  readonly score?: number | undefined
}

/** Two judgments of one answer, the better one first: what is learnt from comparing judgments. */
export interface JudgePair {
  /** What was read before either was written. */
  readonly context: string
  readonly chosen: WrittenJudgment
  readonly rejected: WrittenJudgment
}

export interface Judgment {
  /** Mean of the readable verdicts, absent when none was readable. */
  readonly score?: number | undefined
  readonly verdicts: readonly number[]
  readonly unreadable: number
  /** All that was written, only where it was asked for. */
  readonly texts?: readonly WrittenJudgment[] | undefined
}

/** Two completions of a group by their indices, and what a rater made of them with `first` shown first (or both orders averaged). */
export interface Comparison {
  readonly first: number
  readonly second: number
  readonly opinion: Opinion
}

export interface JudgedGroup extends CandidateGroup {
  /** One a completion; without score where the rater only compares. */
  readonly judgments: readonly Judgment[]
  readonly comparisons?: readonly Comparison[] | undefined
  /** Trained on beside what is selected of the completions; absent where judgments were not compared. */
  readonly judgePairs?: readonly JudgePair[] | undefined
  /** Of the policy where it judges itself; −1 where another rater did. */
  readonly judgeVersion: VersionSpan
}

export interface JudgedBatch extends Omit<CandidateBatch, 'groups'> {
  readonly groups: readonly JudgedGroup[]
}

/** Supervised examples as texts; the learner sees each once. */
export interface DemonstrationBatch {
  /** 0, 1, 2, … over the whole run. */
  readonly id: number
  readonly demonstrations: readonly Demonstration[]
}

/** The instructions that the prompt generator starts from. */
export interface SeedPrompts {
  readonly prompts: readonly string[]
}

/** A finished model of an iteration, handed to the evaluator. */
export interface ModelSnapshot {
  /** `M1`, `M2`, … */
  readonly name: string
  readonly version: number
  readonly params: Float32Array
  /** Pairs trained on to get here, and those dropped as ties, in this iteration. */
  readonly pairs: number
  readonly droppedTies: number
}
