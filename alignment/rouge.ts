/** Longest sequence that one machine word holds in {@link lcsLength}. */
const WORD_BITS = 32

/** Sets of positions of each token of `tokens` (at most 32 of them): bit i is position i. */
function positionMasks<T>(tokens: readonly T[]): Map<T, number> {
  const masks = new Map<T, number>()
  tokens.forEach((token, i) => {
    masks.set(token, (masks.get(token) ?? 0) | (1 << i))
  })
  return masks
}

/**
 * Length of the longest common subsequence. Up to 32 tokens on the shorter side: bit-parallel, one step a token of the
 * longer (Hyyrö 2004); beyond that by dynamic programming.
 */
export function lcsLength<T>(a: readonly T[], b: readonly T[]): number {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (short.length > WORD_BITS) return lcsTable(short, long)
  const masks = positionMasks(short)
  let open = -1 // zero bits end common subsequences
  for (const token of long) open = lcsStep(open, masks.get(token) ?? 0)
  return zerosBelow(open, short.length)
}

/** One column of the bit-parallel recurrence; `matches` marks the positions that hold the token. */
export function lcsStep(open: number, matches: number): number {
  const hit = open & matches
  return (open + hit) | (open - hit) | 0
}

/** Zero bits among the lowest `length`. */
export function zerosBelow(bits: number, length: number): number {
  let zeros = length === WORD_BITS ? ~bits : ~bits & ((1 << length) - 1)
  let count = 0
  for (; zeros !== 0; zeros &= zeros - 1) count++
  return count
}

function lcsTable<T>(a: readonly T[], b: readonly T[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const token of a) {
    const next = [0]
    for (let j = 0; j < b.length; j++)
      next.push(token === b[j] ? (row[j] as number) + 1 : Math.max(row[j + 1] as number, next[j] as number))
    row = next
  }
  return row[b.length] as number
}

/**
 * ROUGE-L as F1 over the longest common subsequence (Lin 2004; `rouge_score`'s rougeL fmeasure, without stemming):
 * P = LCS/|a|, R = LCS/|b|, F1 = 2PR/(P + R) = 2·LCS/(|a| + |b|). 0 when either side is empty.
 */
export function rougeL<T extends string | number>(a: readonly T[], b: readonly T[]): number {
  return a.length === 0 || b.length === 0 ? 0 : (2 * lcsLength(a, b)) / (a.length + b.length)
}

/** The words that ROUGE counts: lower case runs of letters and digits, as `rouge_score`'s default tokenizer has them. */
export function rougeWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? []
}
