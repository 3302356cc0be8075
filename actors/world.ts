import type { Opinion } from '../alignment/index.js'
import type { TextTokenizer } from '../models/index.js'
import type { Random } from '../runtime/time/random.js'

/** One supervised example: loss on `completion` only. Texts are space-separated words of {@link World.words}. */
export interface Demonstration {
  /**
   * `ift`: an instruction answered; `eft`: an answer judged; `prompts`: a list of instructions (self-instruct); `meta`: two
   * judgments of an answer compared.
   */
  readonly kind: 'ift' | 'eft' | 'prompts' | 'meta'
  readonly prompt: string
  readonly completion: string
  /** Of the completion, where it has others behind the prompt than by itself. */
  readonly tokens?: Int32Array | undefined
}

/** What a judge's text said. An unreadable verdict has no score; it is never scored 0. */
export type Verdict =
  | { readonly readable: true; readonly score: number }
  | { readonly readable: false; readonly reason: string }

/**
 * A small written language with instructions, imperfect human demonstrations and a rubric. The gold scorer is
 * not part of it: see {@link Gold}. A world is loaded by its module's URL (`export const createWorld`).
 */
export interface World {
  readonly name: string
  /**
   * Every word and marker, in a fixed order: the tokenizer's vocabulary. Markers are written `<like-this>`. None where the world
   * has a `tokenizer`.
   */
  readonly words: readonly string[]
  readonly markers: { readonly pad: string; readonly begin: string; readonly end: string; readonly unknown: string }
  /** Of a model that was there before, where texts are not of `words`. */
  readonly tokenizer?: TextTokenizer | undefined
  /** Where a text ends. Default `markers.end` alone. */
  readonly stopTokens?: readonly number[] | undefined
  /** Greatest number of new tokens (stop token included) of each kind of text, and of a whole sequence. */
  readonly limits: {
    readonly answer: number
    readonly verdict: number
    readonly prompt: number
    /** Of a comparison of two judgments, where there are such. */
    readonly preference?: number
    readonly context: number
  }
  /**
   * What the model reads before it writes an answer / a verdict / the next prompt of a list. All start with `markers.begin`, or as
   * the chat template of the `tokenizer` does.
   */
  answerContext(prompt: string): string
  judgeContext(prompt: string, answer: string): string
  promptContext(shots: readonly string[]): string
  /** What it reads before it compares two judgments of an answer. Absent where nobody does. */
  metaContext?(prompt: string, answer: string, first: string, second: string): string
  /** An answer to a prompt as the model would write it, its end included. Default the answer and `markers.end`, as words. */
  answerTokens?(prompt: string, answer: string): Int32Array
  /** Reads a judge's text: five additive points, the last `score` decides; 0..5 else unreadable. */
  readVerdict(text: string): Verdict
  /** Reads a comparison of two judgments: which is the better one; undefined where that cannot be read. */
  readPreference?(text: string): 'first' | 'second' | undefined
  /** The instruction in a generated text, or why it is not a well-formed one. */
  readPrompt(text: string): { readonly prompt: string } | { readonly malformed: string }
  /** True for prompts that belong to the held-out set (by a hash of the prompt); never trained on. */
  isHeldOut(prompt: string): boolean
  /**
   * Gets ready what `prompts`, `demonstrations`, `answers` and `preferences` draw from; awaited before any of them is called.
   * Absent where there is nothing to read.
   */
  open?(): Promise<void>
  /** How many demonstrations there are, where they are finite; of an opened world. */
  demonstrationCount?(): number
  /**
   * `count` distinct instructions; `heldOut` chooses which side of the split. A world of finite data goes through it again where
   * `count` is more than it has; of held-out ones it gives all that it has, once.
   */
  prompts(count: number, random: Random, options: { heldOut: boolean }): string[]
  /**
   * Human-written demonstrations, never of held-out prompts, shuffled over kinds. `given` is how many came in calls before: a world
   * of finite data goes on from there.
   */
  demonstrations(counts: DemonstrationCounts, random: Random, given?: DemonstrationCounts): Demonstration[]
  /**
   * What `count` people write who are asked this, each on their own: the quality of the `ift` demonstrations. In finite data there
   * may be fewer, and those of the demonstrations come first. Absent where the world has no such people.
   */
  answers?(prompt: string, count: number, random: Random): string[]
  /**
   * `count` prompts (not held out; distinct where they are made up), each with `options.answers` (at least 2) distinct answers that people wrote, and the points that other people
   * gave them, with their noise. Absent where the world has no such people.
   */
  preferences?(count: number, random: Random, options: { answers: number }): RatedAnswers[]
}

/** How many demonstrations of each kind. */
export interface DemonstrationCounts {
  readonly ift: number
  readonly eft: number
  readonly prompts: number
  /** Default 0. */
  readonly meta?: number
}

/** Answers of people to a prompt, with the points that people gave them. */
export interface RatedAnswers {
  readonly prompt: string
  readonly answers: readonly string[]
  /** One an answer, 0..5. */
  readonly scores: readonly number[]
}

/**
 * An annotator from outside: its strength, its biases and the instruction that it follows are options. It stands for the people
 * or the larger model that a method names; no role but the annotator is given it.
 */
export interface Annotator {
  /** Points of an answer, or undefined where it says nothing readable. */
  score(prompt: string, answer: string, random: Random): number | undefined
  /** Its opinion of two answers, as it is shown them. */
  compare(prompt: string, first: string, second: string, random: Random): Opinion
}

/** An answer list ranked by the gold scorer (ties share a rank). */
export interface RankedAnswers {
  readonly prompt: string
  readonly answers: readonly string[]
  /** Gold points of each answer, 0..5. */
  readonly points: readonly number[]
}

/**
 * The scorer that no training actor may see. It lives in a module of its own that only the evaluator is given
 * (`export const createGold`).
 */
export interface Gold {
  readonly criteria: readonly string[]
  /** Five additive points, each gated by the first. */
  score(prompt: string, answer: string): { readonly points: number; readonly criteria: readonly boolean[] }
  /** The fixed held-out judge set: answers of differing quality to held-out prompts. */
  judgeSet(count: number, random: Random): RankedAnswers[]
}

export interface WorldModule {
  readonly createWorld: (options: unknown) => World | Promise<World>
}
export interface AnnotatorModule {
  readonly createAnnotator: (options: unknown) => Annotator
}
export interface GoldModule {
  readonly createGold: (options: unknown) => Gold
}
