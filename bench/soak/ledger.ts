/** What a ledger knows, as plain data: the collector that keeps it is killed like everybody else. */
export interface LedgerState {
  /** By writer: every item below `next` was seen once, and so was every one of `ahead`. */
  readonly writers: readonly { readonly next: number; readonly ahead: readonly number[] }[]
  readonly seen: number
  readonly doubled: number
}

/**
 * Accounts for numbered items of several writers in any order, in memory that does not grow with them: a writer's items
 * are kept one by one only while an earlier one is missing.
 */
export class Ledger {
  readonly #writers: { next: number; ahead: Set<number> }[] = []
  #seen = 0
  #doubled = 0

  static from(state: LedgerState): Ledger {
    const ledger = new Ledger()
    ledger.#writers.push(...state.writers.map(({ next, ahead }) => ({ next, ahead: new Set(ahead) })))
    ledger.#seen = state.seen
    ledger.#doubled = state.doubled
    return ledger
  }

  add(writer: number, id: number): void {
    while (this.#writers.length <= writer) this.#writers.push({ next: 0, ahead: new Set() })
    const account = this.#writers[writer]!
    if (id < account.next || account.ahead.has(id)) {
      this.#doubled++
      return
    }
    this.#seen++
    account.ahead.add(id)
    while (account.ahead.delete(account.next)) account.next++
  }

  state(): LedgerState {
    return {
      writers: this.#writers.map(({ next, ahead }) => ({ next, ahead: [...ahead].sort((a, b) => a - b) })),
      seen: this.#seen,
      doubled: this.#doubled,
    }
  }
}

/** Items that should have come and did not, when each writer has issued as many as `issued` says. */
export function missing(state: LedgerState, issued: readonly number[]): number {
  const unseen = issued.map((count, writer) => {
    const { next, ahead } = state.writers[writer] ?? { next: 0, ahead: [] }
    return count - next - ahead.length
  })
  return unseen.reduce((sum, count) => sum + count, 0)
}
