import { assert } from '../runtime/kernel/errors.js'

export interface LedgerCounts {
  readonly issued: number
  readonly consumed: number
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>
  readonly inFlight: number
}

/** Where every sample went. The law: issued = consumed + dropped (by reason) + in flight, checked at every entry. */
export interface Ledger {
  /** `E_INVARIANT` if the id was ever issued before. */
  issue(id: string): void
  /** `E_INVARIANT` if the id is not in flight: never issued, or used or dropped before. */
  consume(id: string): void
  drop(id: string, reason: string): void
  counts(): LedgerCounts
}

export function createLedger(): Ledger {
  const inFlight = new Set<string>()
  const settled = new Set<string>()
  const dropped = new Map<string, number>()
  const tally = { issued: 0, consumed: 0, dropped: 0 }

  function settle(id: string, kind: 'consumed' | 'dropped'): void {
    assert(inFlight.delete(id), `sample ${id} was ${kind} while not in flight`)
    settled.add(id)
    tally[kind]++
    check()
  }

  function check(): void {
    const sum = tally.consumed + tally.dropped + inFlight.size
    assert(tally.issued === sum, `issued ${tally.issued} = consumed + dropped + in flight, which is ${sum}`)
  }

  return {
    issue(id) {
      assert(!inFlight.has(id) && !settled.has(id), `sample ${id} was issued twice`)
      inFlight.add(id)
      tally.issued++
      check()
    },
    consume: (id) => settle(id, 'consumed'),
    drop(id, reason) {
      settle(id, 'dropped')
      dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
    },
    counts: () => ({
      issued: tally.issued,
      consumed: tally.consumed,
      dropped: Object.fromEntries(dropped),
      inFlight: inFlight.size,
    }),
  }
}
