import { createTroupe, realClock } from '../../runtime/index.js'
import type { BenchFigure } from '../figures.js'
import { median } from '../tensor/peer.js'
import { looper } from './looper.js'

const BAR = 500_000
const AIM = 3_000_000
const ACTORS = 1000
const TURNS = 400
const ROUNDS = 3
const DEADLINE_MS = 60_000

/** Empty turns of many actors in virtual time, through the whole kernel: gate, turn, cost, the moment at which it ends, span. */
export async function virtualFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = []
  for (const own of [false, true]) {
    const how = own ? 'loops of their own' : 'generated'
    const rates: number[] = []
    for (let round = 0; round < ROUNDS; round++) rates.push(await kernelTurnRate(own))
    const ours = median(rates)
    log(`virtual time, ${how}: ${Math.round(ours / 1000)} k turns a second`)
    figures.push({
      name: `virtual turns, ${ACTORS} actors, ${how}, ours ÷ ${BAR / 1000} k/s`,
      unit: 'turns/s',
      ours,
      other: BAR,
      against: `${BAR / 1000} k/s`,
      ratio: ours / BAR,
      bar: 1,
      aim: AIM / BAR,
    })
  }
  return figures
}

/** Turns a second, once everybody has begun. */
export async function kernelTurnRate(own: boolean, actors = ACTORS, turns = TURNS): Promise<number> {
  const total = actors * turns
  const warm = total / 10
  let seen = 0
  let from = 0
  let done: (seconds: number) => void = () => {}
  const seconds = new Promise<number>((resolve) => {
    done = resolve
  })
  const troupe = createTroupe({
    stage: 'virtual',
    seed: 1,
    observe: ({ type }) => {
      if (type !== 'span') return
      seen++
      if (seen === warm) from = performance.now()
      if (seen === total) done((performance.now() - from) / 1000)
    },
  })
  troupe.actor(looper, { config: { own, turns }, replicas: actors })
  try {
    await troupe.start()
    return (total - warm) / (await realClock.deadline(seconds, DEADLINE_MS, 'the virtual turns'))
  } finally {
    await troupe.stop()
  }
}
