import { assert, TroupeError } from '../runtime/kernel/errors.js'
import { IdRanges } from './id-ranges.js'

export interface LedgerCounts {
  readonly issued: number
  readonly consumed: number
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>
  readonly inFlight: number
}

/** A ledger as plain data. */
export interface LedgerState {
  readonly inFlight: readonly string[]
  /** Ids, and ranges of them: `3.0-41` is `3.0` to `3.41`. */
  readonly settled: readonly string[]
  readonly consumed: number
  readonly dropped: Readonly<Record<string, number>>
}

/**
 * Where every sample went. Of what is settled only ranges are kept, so that a ledger grows with the batches that are under way
 * and not with the run.
 *
 * The law: issued = consumed + dropped (by reason) + in flight, checked at every entry.
 */
export interface Ledger {
  /** `E_INVARIANT` if the id was ever issued before. */
  issue(id: string): void
  /** `E_INVARIANT` if the id is not in flight: never issued, or used or dropped before. */
  consume(id: string): void
  drop(id: string, reason: string): void
  counts(): LedgerCounts
  snapshot(): LedgerState
  /** Goes on from a snapshot, in place of what was entered so far. `E_JOURNAL` where the law does not hold of it. */
  restore(state: LedgerState): void
}

export function createLedger(): Ledger {
  let inFlight = new Set<string>()
  let settled = new IdRanges()
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
    snapshot: () => ({
      inFlight: [...inFlight],
      settled: settled.toStrings(),
      consumed: tally.consumed,
      dropped: Object.fromEntries(dropped),
    }),
    restore(state) {
      const droppedNow = Object.values(state.dropped).reduce((sum, count) => sum + count, 0)
      const flying = new Set(state.inFlight)
      const done = new IdRanges()
      const distinct = state.settled.every((line) => done.addString(line)) && flying.size === state.inFlight.length
      const apart = state.inFlight.every((id) => !done.has(id))
      if (!distinct || !apart || done.size !== state.consumed + droppedNow)
        throw new TroupeError('E_JOURNAL', 'the ledger in the snapshot does not add up')
      inFlight = flying
      settled = done
      dropped.clear()
      for (const [reason, count] of Object.entries(state.dropped)) dropped.set(reason, count)
      Object.assign(tally, { issued: flying.size + done.size, consumed: state.consumed, dropped: droppedNow })
    },
  }
}
