import { type CellCommit, type CellState, merge } from '../../runtime/placement/commit.js'
import { ackedOf, type Channels, senderOf } from './channels.js'
import { type Item, nodeOf, type Paths, replicasOf } from './paths.js'
import type { SimPlan } from './plan.js'
import type { RoleState } from './roles.js'

type Violate = (invariant: string, what: string) => void

/** Commits between two looks at all accounts. */
const EVERY = 8

/**
 * The last commits of all actors. At every moment they are a snapshot of the whole run, in which every item issued is, each of its
 * shares once, collected, dropped, held by somebody or under way.
 */
export class Cut {
  readonly #plan: SimPlan
  readonly #paths: Paths
  readonly #channels: Channels
  readonly #violate: Violate
  readonly #states = new Map<string, CellState>()
  readonly #learner: string | undefined
  #commits = 0
  checks = 0
  queues = 0
  backlogs = 0

  constructor(plan: SimPlan, paths: Paths, channels: Channels, violate: Violate) {
    this.#plan = plan
    this.#paths = paths
    this.#channels = channels
    this.#violate = violate
    this.#learner = plan.nodes.find(({ kind }) => kind === 'learner')?.name
    if (this.#isKept) channels.stored = (actor) => this.#states.get(actor)
  }

  /** Whether all actors put away what they do. */
  get #isKept(): boolean {
    return this.#plan.mode !== 'temporary'
  }

  /** What its learner had put away; undefined where there is none. */
  get version(): number | undefined {
    if (this.#learner === undefined) return undefined
    const state = this.#states.get(this.#learner)
    return state ? Math.floor(roleOf(state).count / this.#plan.publishEvery) : -1
  }

  put(actor: string, commit: CellCommit): void {
    const state = merge(this.#states.get(actor), structuredClone(commit))
    this.#states.set(actor, state)
    if (Object.values(state.inputs).some(({ queue }) => queue.length > 0)) this.queues++
    if (Object.values(state.outputs).some(({ connections }) => connections.some(({ backlog }) => backlog.length > 0)))
      this.backlogs++
    if (++this.#commits % EVERY === 0) this.check()
  }

  /** What waited at an actor's input when it was put away, in its order. */
  queueOf(actor: string): Item[] {
    const { inputs = {} } = this.#states.get(actor) ?? {}
    return Object.values(inputs).flatMap(({ queue }) =>
      queue.flatMap(([channel, seq]) => this.#channels.all[channel]?.items[seq] ?? []),
    )
  }

  /** All accounts add up. */
  check(): void {
    if (!this.#isKept) return
    this.checks++
    const known = new Map<string, string>()
    for (const [share, where] of this.#shares()) {
      const before = known.get(share)
      if (before !== undefined) this.#violate('nothing is doubled', `${share} is ${before}, and ${where}`)
      known.set(share, where)
    }
    for (const share of this.#issued())
      if (!known.delete(share)) this.#violate('nothing is lost', `${share} is nowhere`)
    for (const [share, where] of known)
      this.#violate('nothing is made up', `${share} is ${where}, and was never issued`)
  }

  /** All is done: nothing is under way or held. */
  checkDone(): void {
    this.check()
    for (const node of this.#sources()) {
      const { count } = this.#roleOf(node.name)
      if (count < node.count) this.#violate('all is done', `${node.name} has issued ${count} of ${node.count}`)
    }
    for (const [share, where] of this.#shares())
      if (!/^(collected|dropped)/.test(where)) this.#violate('all is done', `${share} is ${where}`)
  }

  #sources() {
    return this.#plan.nodes.filter(({ kind }) => kind === 'source')
  }

  #roleOf(actor: string): RoleState {
    return roleOf(this.#states.get(actor))
  }

  *#issued(): Generator<string> {
    for (const { name } of this.#sources()) {
      const { count } = this.#roleOf(name)
      for (let n = 0; n < count; n++) {
        const id = Number(name.slice('source'.length)) * 1000 + n
        yield* this.#paths.shares({ id, path: '', part: -1 }, name)
      }
    }
  }

  *#shares(): Generator<[share: string, where: string]> {
    const each = function* (
      paths: Paths,
      items: readonly Item[],
      node: string,
      where: string,
    ): Generator<[string, string]> {
      for (const item of items) for (const share of paths.shares(item, node)) yield [share, where]
    }
    for (const node of this.#plan.nodes)
      for (const actor of replicasOf(node)) {
        const { held, dropped, seen } = this.#roleOf(actor)
        yield* each(this.#paths, held, node.name, `held by ${actor}`)
        yield* each(this.#paths, dropped, node.name, `dropped by ${actor}`)
        yield* each(this.#paths, seen, node.name, `collected by ${actor}`)
        yield* this.#backlog(actor, node.name)
      }
    for (const { id, from, to } of this.#channels.all) {
      const sender = senderOf(this.#states.get(from), id)
      const acked = ackedOf(this.#states.get(to), id)
      const base = sender?.base ?? 0
      const kept = (sender?.kept ?? []) as readonly Item[]
      const where = `${from} -> ${to}`
      if (acked < base)
        this.#violate('what is done was put away', `${where}: ${base} are forgotten by their sender, ${acked} are done`)
      if (acked > base + kept.length + (sender?.end ? 1 : 0))
        this.#violate(
          'what is done was put away',
          `${where}: ${acked} are done, and ${base + kept.length} are known to their sender`,
        )
      yield* each(this.#paths, kept.slice(acked - base), nodeOf(to), `on its way from ${where}`)
    }
  }

  *#backlog(actor: string, node: string): Generator<[string, string]> {
    const edges = this.#plan.edges.filter(({ from }) => from === node)
    const connections = Object.values(this.#states.get(actor)?.outputs ?? {}).flatMap((output) => output.connections)
    for (const [i, { backlog }] of connections.entries()) {
      const to = edges[i]?.to as string
      for (const item of backlog as readonly Item[])
        for (const share of this.#paths.shares(item, to)) yield [share, `waiting for credit at ${actor}`]
    }
  }
}

function roleOf(state: CellState | undefined): RoleState {
  return (state?.role as RoleState | undefined) ?? { sent: 0, count: 0, last: {}, held: [], dropped: [], seen: [] }
}
