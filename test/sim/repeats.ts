import type { Watched } from './channels.js'

/** As the stage has it where links lose frames. */
const REPEAT_MS = 50
const MOST_DOUBLINGS = 6
/** Longer than a frame is under way, however late it is. */
const LATEST_MS = 600

interface Sent {
  at: number
  /** Frames since the receiver was last heard of. */
  since: number
  heardAt: number
}

/** What is not acknowledged is sent again in time, whatever else its sender does: seen whenever it sends anything. */
export class Repeats {
  readonly #sent = new Map<Watched, Sent>()

  heard(channel: Watched, now: number): void {
    const sent = this.#sent.get(channel)
    if (!sent) return
    sent.heardAt = now
    sent.since = 0
  }

  /** A frame sets out; returns how long another channel of its sender is overdue. */
  posted(channel: Watched, now: number, upSince: (actor: string) => number | undefined): [Watched, number] | undefined {
    const sent = this.#sent.get(channel) ?? { at: now, since: 0, heardAt: -1 }
    this.#sent.set(channel, { ...sent, at: now, since: sent.since + 1 })
    for (const [other, { at, since, heardAt }] of this.#sent) {
      if (other.from !== channel.from || other.told >= other.posted) continue
      // Only where the two have been heard on their present wire: one that is being stopped has none.
      const ups = [upSince(other.from) ?? now, upSince(other.to) ?? now]
      if (ups.some((up) => heardAt < up)) continue
      const from = Math.max(at, heardAt + LATEST_MS)
      const overdueMs = now - from - REPEAT_MS * 2 ** Math.min(MOST_DOUBLINGS, since)
      if (overdueMs > 1) return [other, overdueMs]
    }
    return undefined
  }
}
