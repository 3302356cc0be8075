import { lcsStep, rougeL, rougeWords, zerosBelow } from './rouge.js'

/** The prompts that there are, for the novelty filter of self-instruct (Wang et al. 2023). */
export interface PromptPool {
  readonly size: number
  add(prompt: string): void
  /** Greatest {@link rougeL} of the candidate's words to any prompt in the pool; 0 for an empty pool. */
  greatestRougeL(candidate: string): number
}

/** Words of a candidate for the fast path: as many as a machine word has bits. */
const FAST_WORDS = 32

/**
 * A pool that answers in about 14 machine operations a word of each pooled prompt: words are numbered, the candidate's
 * positions are bit masks by word number, and prompts that cannot beat the best so far, by their lengths or by the
 * number of words that they share, are skipped.
 */
export function createPromptPool(prompts: Iterable<string>): PromptPool {
  const ids = new Map<string, number>()
  const entries: Int32Array[] = []
  let masks = new Int32Array(1024)

  function idOf(word: string): number {
    const known = ids.get(word)
    if (known !== undefined) return known
    const id = ids.size
    ids.set(word, id)
    if (id >= masks.length) masks = new Int32Array(2 * masks.length)
    return id
  }

  function greatestRougeL(candidate: string): number {
    const words = rougeWords(candidate)
    // A word that the pool has never seen matches nothing, but still counts in the length.
    const known = words.map((word) => ids.get(word) ?? -1)
    if (words.length > FAST_WORDS) return entries.reduce((best, entry) => Math.max(best, rougeL(known, [...entry])), 0)
    known.forEach((id, i) => {
      if (id >= 0) masks[id] = (masks[id] as number) | (1 << i)
    })
    let best = 0
    for (const entry of entries) best = Math.max(best, againstMasks(masks, words.length, entry, best))
    for (const id of known) if (id >= 0) masks[id] = 0
    return best
  }

  const pool: PromptPool = {
    get size() {
      return entries.length
    },
    add(prompt) {
      entries.push(Int32Array.from(rougeWords(prompt), idOf))
    },
    greatestRougeL,
  }
  for (const prompt of prompts) pool.add(prompt)
  return pool
}

/** ROUGE-L of one pooled prompt, or 0 when it cannot be above `best`. */
function againstMasks(masks: Int32Array, length: number, entry: Int32Array, best: number): number {
  const total = length + entry.length
  if (total === 0 || 2 * Math.min(length, entry.length) <= best * total) return 0
  let shared = 0
  for (let i = 0; i < entry.length; i++) if (masks[entry[i] as number] !== 0) shared++
  if (2 * shared <= best * total) return 0
  let open = -1
  for (let i = 0; i < entry.length; i++) open = lcsStep(open, masks[entry[i] as number] as number)
  return (2 * zerosBelow(open, length)) / total
}

/** One-shot form of {@link PromptPool.greatestRougeL}. */
export function greatestRougeL(candidate: string, pool: Iterable<string>): number {
  return createPromptPool(pool).greatestRougeL(candidate)
}
