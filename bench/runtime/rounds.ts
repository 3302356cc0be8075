import type { BenchFigure } from '../figures.js'
import { median } from '../tensor/peer.js'

const ROUNDS = 5

/** Both sides' medians, and the median of the rounds' ratios. */
export interface Sides {
  readonly ours: number
  readonly other: number
  readonly ratio: number
}

/**
 * Measures both sides in turn, so that whatever else the machine does hits both alike; each once before, to warm up.
 * `better` says whether more or less of what is measured is better: the ratio is better when greater in either case.
 */
export async function alternate(
  better: 'more' | 'less',
  ours: () => Promise<number>,
  other: () => Promise<number>,
  rounds = ROUNDS,
): Promise<Sides> {
  await ours()
  await other()
  const [own, theirs, ratios]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    const mine = await ours()
    const peer = await other()
    own.push(mine)
    theirs.push(peer)
    ratios.push(better === 'more' ? mine / peer : peer / mine)
  }
  return { ours: median(own), other: median(theirs), ratio: median(ratios) }
}

export function figure(sides: Sides, rest: Omit<BenchFigure, keyof Sides>): BenchFigure {
  return { ...rest, ...sides }
}
