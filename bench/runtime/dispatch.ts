import { concat, from, takeWhile } from 'rxjs'
import { z } from 'zod'
import { defineActor, port, realClock } from '../../runtime/index.js'
import type { BenchFigure } from '../figures.js'
import { Meter, type Span } from './meter.js'
import { alternate, figure } from './rounds.js'
import { played, tracedTroupe } from './sides.js'

const ACTORS = 8
/** Enough that every actor of the ring always has one waiting. */
const TOKENS = 64
const SPAN: Span = { warmMs: 500, measureMs: 1000 }
const DEADLINE_MS = 30_000

interface Token {
  readonly id: number
  readonly hops: number
}

const tokens = () => Array.from({ length: TOKENS }, (_, id): Token => ({ id, hops: 0 }))

/** What an actor of the ring does with a token, on both sides. */
const passOn = ({ id, hops }: Token): Token => ({ id, hops: hops + 1 })

/** An actor of a ring: passes tokens on, a turn for each. The one that has the tokens at first also counts. */
const passer = defineActor({
  module: import.meta.url,
  role: 'passer',
  inputs: { in: port<Token>() },
  outputs: { out: port<Token>() },
  config: z.strictObject({ first: z.boolean() }),
  start: ({ config: { first }, turn }) => {
    const meter = new Meter(SPAN)
    return {
      streams: (inputs) => {
        if (!first) return { out: inputs.in.pipe(turn(passOn)) }
        const counted = inputs.in.pipe(
          takeWhile(() => !meter.tick()),
          turn(passOn),
        )
        return { out: concat(from(tokens()), counted) }
      },
      api: { rate: () => meter.rate },
    }
  },
})

/**
 * A ring of actors in one thread, each message handled on its own. nact hands over references, keeps no record and has
 * unbounded mailboxes; ours clones every message, traces every turn and grants credit, as it does between threads.
 */
export async function dispatchFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const nact = await loadNact()
  const name = 'actors in one thread, ours ÷ nact’s dispatch'
  const rest = { name, unit: 'messages/s', bar: 1, aim: 3 }
  if (!nact) {
    const ours = await ringRate()
    return [{ ...rest, ours, other: null, against: 'nact is not installed: npm install nact', ratio: null }]
  }
  const sides = await alternate('more', ringRate, () => nactRate(nact))
  log(`one thread: ${Math.round(sides.ours / 1000)} k messages a second, nact ${Math.round(sides.other / 1000)} k`)
  return [figure(sides, { ...rest, against: `nact, a ring of ${ACTORS} actors and ${TOKENS} messages` })]
}

async function ringRate(): Promise<number> {
  const { troupe } = tracedTroupe('inline')
  const ring = Array.from({ length: ACTORS }, (_, i) =>
    troupe.actor(passer, { name: `passer-${i}`, config: { first: i === 0 } }),
  )
  ring.forEach((actor, i) => {
    troupe.connect(actor.outputs.out, ring[(i + 1) % ACTORS]!.inputs.in, { credits: TOKENS })
  })
  return ACTORS * (await played(troupe, () => ring[0]!.ask.rate()))
}

type Nact = typeof import('nact')

/** Only there when Troupe itself is developed. */
async function loadNact(): Promise<Nact | undefined> {
  try {
    return await import('nact')
  } catch {
    return undefined
  }
}

async function nactRate({ start, spawn, dispatch, stop }: Nact): Promise<number> {
  const system = start()
  const meter = new Meter(SPAN)
  const ring: ReturnType<typeof spawn>[] = []
  const rate = new Promise<number>((resolve) => {
    for (let i = 0; i < ACTORS; i++) {
      const next = (i + 1) % ACTORS
      const handle = (_state: unknown, token: Token) => {
        if (i === 0 && meter.tick()) return resolve(meter.rate)
        dispatch(ring[next]!, passOn(token))
      }
      ring.push(spawn(system, handle, `passer-${i}`))
    }
  })
  for (const token of tokens()) dispatch(ring[0]!, token)
  try {
    return ACTORS * (await realClock.deadline(rate, DEADLINE_MS, 'nact'))
  } finally {
    stop(system)
  }
}
