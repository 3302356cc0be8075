import type { BenchFigure } from '../figures.js'
import { juggler, largeReceiver, largeSender, smallReceiver, smallSender } from './actors.js'
import type { Span } from './meter.js'
import { JUGGLED, MEGABYTES } from './payload.js'
import { alternate, figure } from './rounds.js'
import { played, rawJuggleRate, rawRate, tracedTroupe } from './sides.js'

/** Messages in flight, on both sides. */
const SMALL_WINDOW = 1024
const LARGE_WINDOW = 8
const PER_TURN = 256
const SPAN: Span = { warmMs: 700, measureMs: 1000 }
/** Without flow control the sender runs away: this many are enough for the span, and still fit in memory. */
const UNBOUNDED: Span = { warmMs: 300, measureMs: 400 }
const UNBOUNDED_LIMIT = 1_200_000

/** From one thread to another: small messages, and large ones that are moved. */
export async function messageFigures(log: (line: string) => void): Promise<BenchFigure[]> {
  const stream = await alternate(
    'more',
    () => smallRate(false),
    () => rawRate('small', SMALL_WINDOW, null, SPAN),
  )
  log(`small messages: ${kilo(stream.ours)} a second, one postMessage each ${kilo(stream.other)}`)
  const unbounded = await rawRate('small', null, UNBOUNDED_LIMIT, UNBOUNDED)
  const turns = await smallRate(true)
  log(`without flow control ${kilo(unbounded)}; with a turn for each ${kilo(turns)}`)
  const moved = await alternate('more', largeRate, () => rawRate('large', LARGE_WINDOW, null, SPAN))
  log(`moved buffers: ${moved.ours.toFixed(0)} a second, raw ${moved.other.toFixed(0)}`)
  const juggled = await alternate('more', juggleRate, () => rawJuggleRate(SPAN))
  log(`the same buffers to and fro: ${kilo(juggled.ours)} a second, raw ${kilo(juggled.other)}`)
  const credits = `two worker threads and a port, one postMessage a message, ${SMALL_WINDOW} in flight`
  const rate = { unit: 'messages/s', bar: null, aim: null }
  const buffers = { unit: 'buffers/s', bar: 1 / 1.5, aim: 1 / 1.1 }
  return [
    figure(stream, { ...rate, name: 'small messages, thread → thread', against: credits, bar: 1.5, aim: 3 }),
    {
      ...rate,
      name: 'small messages ÷ 1 M/s',
      ours: stream.ours,
      other: 1e6,
      against: '1 M/s',
      ratio: stream.ours / 1e6,
      aim: 1,
    },
    {
      ...rate,
      name: 'small messages, the other side without flow control',
      ours: stream.ours,
      other: unbounded,
      against: 'the same, but the sender never waits (its queue grows without bound)',
      ratio: stream.ours / unbounded,
    },
    {
      ...rate,
      name: 'small messages, a turn of the receiver for each',
      ours: turns,
      other: stream.other,
      against: credits,
      ratio: turns / stream.other,
    },
    figure(moved, {
      name: `moved ${MEGABYTES} MiB buffers, each new, raw time ÷ ours (bar: 1.5 times raw)`,
      against: `transfer through a port, ${LARGE_WINDOW} in flight`,
      ...buffers,
    }),
    figure(juggled, {
      name: `moved ${MEGABYTES} MiB buffers, the same to and fro, raw time ÷ ours (bar: 1.5 times raw)`,
      against: `transfer through a port, the same ${JUGGLED} buffers, no credit`,
      ...buffers,
    }),
  ]
}

async function smallRate(turns: boolean, span = SPAN): Promise<number> {
  const { troupe, traced } = tracedTroupe('threads')
  const sender = troupe.actor(smallSender, { config: { perTurn: PER_TURN } })
  const receiver = troupe.actor(smallReceiver, { config: { span, turns } })
  troupe.connect(sender.outputs.messages, receiver.inputs.messages, { credits: SMALL_WINDOW })
  const rate = await played(troupe, () => receiver.ask.rate())
  if (traced() === 0) throw new Error('the run was not traced')
  return rate
}

async function largeRate(): Promise<number> {
  const { troupe } = tracedTroupe('threads')
  const sender = troupe.actor(largeSender, { config: {} })
  const receiver = troupe.actor(largeReceiver, { config: { span: SPAN } })
  troupe.connect(sender.outputs.buffers, receiver.inputs.buffers, { credits: LARGE_WINDOW })
  return played(troupe, () => receiver.ask.rate())
}

/** Nothing is allocated: what is left is the moving alone. */
async function juggleRate(): Promise<number> {
  const { troupe } = tracedTroupe('threads')
  const [first, second] = [JUGGLED, 0].map((buffers, i) =>
    troupe.actor(juggler, { name: `juggler-${i}`, config: { span: SPAN, buffers } }),
  )
  troupe.connect(first!.outputs.out, second!.inputs.in, { credits: JUGGLED })
  troupe.connect(second!.outputs.out, first!.inputs.in, { credits: JUGGLED })
  return played(troupe, () => first!.ask.rate())
}

const kilo = (perSecond: number) => `${Math.round(perSecond / 1000)} k`
