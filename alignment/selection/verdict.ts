/** What an annotator made of two answers, shown in an order. `invalid`: what it wrote says nothing. */
export type Verdict = 'first' | 'second' | 'tie' | 'invalid'

/** A verdict, or the probability in [0, 1] that the answer shown first is better; any other number is invalid. */
export type Opinion = Verdict | number

/** P(the first is better); undefined where the opinion is invalid, and never a default in its place. */
export function probabilityOf(opinion: Opinion): number | undefined {
  if (typeof opinion === 'number') return opinion >= 0 && opinion <= 1 ? opinion : undefined
  return { first: 1, second: 0, tie: 0.5, invalid: undefined }[opinion]
}

/** P(the first is better) of an annotator that answers "1" or "2", from the log-probabilities of those two tokens. */
export function probabilityOfTokens(first: number, second: number): number {
  return 1 / (1 + Math.exp(second - first))
}

/** An opinion as a verdict: `tie` within `margin` of ½ (default 0: exactly ½). */
export function verdictOf(opinion: Opinion, margin = 0): Verdict {
  const probability = probabilityOf(opinion)
  if (probability === undefined) return 'invalid'
  if (Math.abs(probability - 0.5) <= margin) return 'tie'
  return probability > 0.5 ? 'first' : 'second'
}

/**
 * One opinion of a and b from two, in which each was shown first once: their mean, from which an annotator's liking for a
 * position is gone (RLAIF, Lee et al. 2023, arXiv:2309.00267; OAIF, Guo et al. 2024, arXiv:2402.04792).
 *
 *     P(a ≻ b) = ½ + ½(P(first | a, b) − P(first | b, a))        P(a ≻ b) + P(b ≻ a) = 1
 *
 * `invalid` where either is: half an answer would bring the position back.
 *
 * @param ab with a shown first
 * @param ba with b shown first
 */
export function bothOrders(ab: Opinion, ba: Opinion): Opinion {
  const [first, second] = [probabilityOf(ab), probabilityOf(ba)]
  return first === undefined || second === undefined ? 'invalid' : 0.5 + (first - second) / 2
}
