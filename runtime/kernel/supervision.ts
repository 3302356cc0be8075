/** Which siblings are restarted with a child that failed: none, all, or those that were started after it. */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one'

/**
 * `permanent`: restarted however it ended. `transient`: restarted unless it ended by its own will (a host that exits with
 * code 0). `temporary`: never restarted; the others go on without it.
 */
type RestartKind = 'permanent' | 'transient' | 'temporary'

export interface RestartPolicy {
  readonly restart: RestartKind
  /** Restarts within `withinMs`; one failure more is the supervisor's own, which escalates. */
  readonly maxRestarts: number
  readonly withinMs: number
  /** Wait before a restart: `firstMs`, then `factor` times as long for each further one in the window, at most `mostMs`. */
  readonly backoff: { readonly firstMs: number; readonly factor: number; readonly mostMs: number }
}

/** Without a policy of its own, an actor that fails ends the run. */
export const DEFAULT_POLICY: RestartPolicy = {
  restart: 'permanent',
  maxRestarts: 0,
  withinMs: 60_000,
  backoff: { firstMs: 100, factor: 2, mostMs: 10_000 },
}

/** A child of a supervisor: an actor's replica, or a supervisor. Children are started in the order of the list. */
export interface Supervised {
  readonly name: string
  readonly policy: RestartPolicy
  /** Undefined: directly under the troupe. */
  readonly under?: string | undefined
  /** Of a supervisor. */
  readonly strategy?: Strategy | undefined
}

export type Decision =
  /** In the order in which they are started; they are stopped in reverse. */
  | {
      readonly kind: 'restart'
      readonly members: readonly string[]
      readonly gone: readonly string[]
      readonly delayMs: number
    }
  /** It is not restarted, and the others go on. */
  | { readonly kind: 'gone'; readonly members: readonly string[] }
  /** The troupe fails: `exhausted` had failed more often than allowed. */
  | { readonly kind: 'fail'; readonly exhausted: string }

const ROOT = ''

/** Decides what becomes of a failure. Knows no actors, only names, and is told the time. */
export class Supervision {
  readonly #children = new Map<string, Supervised>()
  readonly #restarts = new Map<string, number[]>()
  readonly #strategy: Strategy

  constructor(children: readonly Supervised[], strategy: Strategy = 'one-for-one') {
    for (const child of children) this.#children.set(child.name, child)
    this.#strategy = strategy
  }

  /** When each child was restarted of late. */
  get history(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#restarts].map(([name, times]) => [name, [...times]]))
  }

  /** Goes on with what another run had counted. */
  resumeFrom(history: ReadonlyMap<string, readonly number[]>): void {
    for (const [name, times] of history) this.#restarts.set(name, [...times])
  }

  /** Whether it may ever be restarted: by itself, with a sibling, or with a supervisor above. */
  mayRestart(name: string): boolean {
    const child = this.#children.get(name)
    if (!child || child.policy.restart === 'temporary') return false
    if (child.policy.maxRestarts > 0) return true
    const strategy = this.#strategyOf(child.under ?? ROOT)
    const siblings = strategy === 'one-for-one' ? [] : this.#childrenOf(child.under ?? ROOT)
    return siblings.some(({ policy }) => policy.maxRestarts > 0) || this.mayRestart(child.under ?? ROOT)
  }

  /** Whether the others may go on without it: by its own kind of restart, or by that of a supervisor above. */
  mayBeOutlived(name: string): boolean {
    const child = this.#children.get(name)
    return child !== undefined && (child.policy.restart !== 'permanent' || this.mayBeOutlived(child.under ?? ROOT))
  }

  /** The topmost supervisor above an actor; undefined for one that is directly under the troupe. */
  topOf(name: string): string | undefined {
    const above = this.#children.get(name)?.under
    return above === undefined ? undefined : (this.topOf(above) ?? above)
  }

  /** @param ownWill it ended without an error @param retry false where starting anew cannot help */
  failed(name: string, now: number, { ownWill = false, retry = true } = {}): Decision {
    const child = this.#children.get(name)
    if (!child) return { kind: 'fail', exhausted: name }
    const { policy, under = ROOT } = child
    if (policy.restart === 'temporary' || (policy.restart === 'transient' && ownWill))
      return { kind: 'gone', members: this.#membersOf(name) }
    const recent = (this.#restarts.get(name) ?? []).filter((at) => now - at < policy.withinMs)
    if (!retry || recent.length >= policy.maxRestarts) {
      if (under === ROOT || !retry) return { kind: 'fail', exhausted: name }
      this.#forget(under)
      return this.failed(under, now)
    }
    this.#restarts.set(name, [...recent, now])
    const { firstMs, factor, mostMs } = policy.backoff
    const delayMs = Math.min(mostMs, firstMs * factor ** recent.length)
    const concerned = this.#concerned(child)
    const temporary = (each: Supervised) => each.name !== name && each.policy.restart === 'temporary'
    return {
      kind: 'restart',
      members: concerned.filter((each) => !temporary(each)).flatMap((each) => this.#membersOf(each.name)),
      gone: concerned.filter(temporary).flatMap((each) => this.#membersOf(each.name)),
      delayMs,
    }
  }

  #concerned(child: Supervised): Supervised[] {
    const siblings = this.#childrenOf(child.under ?? ROOT)
    const strategy = this.#strategyOf(child.under ?? ROOT)
    if (strategy === 'one-for-one') return [child]
    return strategy === 'one-for-all' ? siblings : siblings.slice(siblings.indexOf(child))
  }

  #strategyOf(supervisor: string): Strategy {
    return supervisor === ROOT ? this.#strategy : (this.#children.get(supervisor)?.strategy ?? 'one-for-one')
  }

  #childrenOf(supervisor: string): Supervised[] {
    return [...this.#children.values()].filter(({ under = ROOT }) => under === supervisor)
  }

  /** The actors at or below a child, in the order in which they are started. */
  #membersOf(name: string): string[] {
    if (this.#children.get(name)?.strategy === undefined) return [name]
    return this.#childrenOf(name).flatMap((each) => this.#membersOf(each.name))
  }

  /** A supervisor that starts anew has not counted anything yet. */
  #forget(supervisor: string): void {
    for (const { name } of this.#childrenOf(supervisor)) {
      this.#restarts.delete(name)
      this.#forget(name)
    }
  }
}
