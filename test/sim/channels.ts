import type { Passage } from '../../runtime/channel/virtual-wire.js'
import type { CellState } from '../../runtime/placement/commit.js'
import type { Item } from './paths.js'
import { replicasOf } from './paths.js'
import type { SimPlan } from './plan.js'
import { Repeats } from './repeats.js'

/** A channel, seen from outside: what was ever posted on it. */
export interface Watched {
  readonly id: number
  readonly from: string
  readonly to: string
  readonly window: number
  /** Numbers below were posted, and were acknowledged. */
  posted: number
  told: number
  upTo: number
  readonly items: (Item | undefined)[]
}

type Violate = (invariant: string, what: string) => void

/** Every frame on every channel: credits, numbers, and that nothing leaves before it was put away. */
export class Channels {
  readonly all: readonly Watched[]
  readonly #byPair = new Map<string, Watched>()
  readonly #violate: Violate
  readonly #isLossy: boolean
  readonly #repeats = new Repeats()
  /** What was put away, by actor; undefined where nobody puts away. */
  stored: ((actor: string) => CellState | undefined) | undefined
  readonly reach: { again: number; full: number } = { again: 0, full: 0 }

  constructor(plan: SimPlan, violate: Violate) {
    this.#violate = violate
    this.#isLossy = plan.lossy !== undefined
    const all: Watched[] = []
    const replicas = (name: string) =>
      replicasOf(plan.nodes.find((node) => node.name === name) as SimPlan['nodes'][number])
    for (const edge of plan.edges)
      for (const from of replicas(edge.from))
        for (const to of replicas(edge.to)) {
          const watched = { id: all.length, from, to, window: edge.credits, posted: 0, told: 0, upTo: 0, items: [] }
          all.push(watched)
          this.#byPair.set(`${from}->${to}`, watched)
        }
    this.all = all
  }

  posted({ from, to, frame }: Passage, now: number, upSince: (actor: string) => number | undefined): void {
    const isGrant = frame.type === 'grant' || frame.type === 'cancel'
    if (!isGrant && this.#isLossy) this.#checkRepeats(this.#repeats.posted(this.#of(from, to), now, upSince))
    switch (frame.type) {
      case 'data':
        this.#data(this.#of(from, to), frame.seq, [frame.message as Item])
        break
      case 'batch':
        this.#data(this.#of(from, to), frame.seq, frame.messages as Item[])
        break
      case 'grant':
        this.#grant(this.#of(to, from), frame.acked, frame.upTo)
        break
      case 'complete':
        this.#complete(this.#of(from, to), frame.seq)
        break
    }
  }

  /** A frame was posted and is not lost. */
  arrives({ from, to, frame }: Passage, now: number): void {
    if (frame.type === 'grant') this.#repeats.heard(this.#of(to, from), now)
  }

  #checkRepeats(overdue: [Watched, number] | undefined): void {
    if (!overdue) return
    const [{ from, to, posted, told }, ms] = overdue
    this.#violate(
      'sent again in time',
      `${from} -> ${to}: ${posted} were posted, ${told} acknowledged; ${ms} ms overdue`,
    )
  }

  #of(from: string, to: string): Watched {
    const watched = this.#byPair.get(`${from}->${to}`)
    if (!watched) throw new Error(`no channel ${from} -> ${to}`)
    return watched
  }

  #data(channel: Watched, seq: number, items: readonly Item[]): void {
    const { from, to, window } = channel
    if (seq < channel.posted) this.reach.again++
    items.forEach((item, i) => {
      const known = channel.items[seq + i]
      if (known && !same(known, item))
        this.#violate(
          'a number carries one message',
          `${from} -> ${to}: ${seq + i} was ${JSON.stringify(known)} and is ${JSON.stringify(item)}`,
        )
      channel.items[seq + i] = item
    })
    channel.posted = Math.max(channel.posted, seq + items.length)
    const inFlight = channel.posted - channel.told
    if (inFlight === window) this.reach.full++
    if (inFlight > window)
      this.#violate(
        'in flight within the window',
        `${from} -> ${to}: ${inFlight} are in flight, the window is ${window}`,
      )
    if (channel.posted > channel.upTo)
      this.#violate(
        'nothing without credit',
        `${from} -> ${to}: ${channel.posted} were posted, ${channel.upTo} granted`,
      )
    const put = this.#putAway(channel)
    if (put !== undefined && channel.posted > put)
      this.#violate('put away before it leaves', `${from} -> ${to}: ${channel.posted} were posted, ${put} put away`)
  }

  #grant(channel: Watched, acked: number, upTo: number): void {
    const { from, to, window } = channel
    const where = `${from} -> ${to}`
    if (acked < channel.told) this.#violate('acknowledged once for all', `${where}: ${acked} after ${channel.told}`)
    if (upTo - acked > window)
      this.#violate('in flight within the window', `${where}: ${upTo - acked} are granted, the window is ${window}`)
    channel.told = Math.max(channel.told, acked)
    channel.upTo = Math.max(channel.upTo, upTo)
    const put = this.#acked(channel)
    if (put !== undefined && acked > put)
      this.#violate('put away before it is acknowledged', `${where}: ${acked} are acknowledged, ${put} put away`)
  }

  #complete(channel: Watched, seq: number): void {
    if (seq < channel.posted)
      this.#violate(
        'completion comes last',
        `${channel.from} -> ${channel.to}: complete is ${seq}, and ${channel.posted} were posted`,
      )
    const put = this.#putAway(channel)
    if (put !== undefined && seq > put)
      this.#violate(
        'put away before it leaves',
        `${channel.from} -> ${channel.to}: complete is ${seq}, ${put} put away`,
      )
  }

  #putAway({ from, id }: Watched): number | undefined {
    if (!this.stored) return undefined
    const sender = senderOf(this.stored(from), id)
    return sender ? sender.base + sender.kept.length : 0
  }

  #acked({ to, id }: Watched): number | undefined {
    return this.stored ? ackedOf(this.stored(to), id) : undefined
  }
}

export function senderOf(state: CellState | undefined, channel: number) {
  const connections = Object.values(state?.outputs ?? {}).flatMap((output) => output.connections)
  return connections.flatMap(({ senders }) => senders).find((sender) => sender.channel === channel)
}

export function ackedOf(state: CellState | undefined, channel: number): number {
  const receivers = Object.values(state?.inputs ?? {}).flatMap((input) => input.receivers)
  return receivers.find((receiver) => receiver.channel === channel)?.acked ?? 0
}

function same(a: Item, b: Item): boolean {
  return a.id === b.id && a.path === b.path && a.part === b.part && a.sent === b.sent && a.life === b.life
}
