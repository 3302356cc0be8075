import type { Passage } from '../../runtime/channel/virtual-wire.js'
import type { Clock, Random, RunEvent } from '../../runtime/index.js'
import type { CellCommit } from '../../runtime/placement/commit.js'
import type { FaultyHost } from '../../runtime/placement/virtual-faults.js'
import { seededRandom } from '../../runtime/time/index.js'
import { Channels } from './channels.js'
import { Cut } from './cut.js'
import { type Item, nodeOf, Paths } from './paths.js'
import type { SimPlan } from './plan.js'
import { Reached } from './reached.js'
import type { RoleState } from './roles.js'

/** One life of an actor, as its role lives it: nothing may be done in it once the next has begun, or its host has ended. */
export interface Life {
  readonly number: number
  /** A turn without an item. */
  works(): void
  begins(item: Item): void
  setsAside(item: Item): void
  snapshot(state: RoleState): RoleState
  restore(state: RoleState): RoleState
  ask<T>(answer: T): T
  stops(): void
}

export interface Violation {
  readonly invariant: string
  readonly what: string
}

const TRIES = 3

/** Sees everything that happens in a simulation, and knows what may not. */
export class World {
  readonly plan: SimPlan
  readonly paths: Paths
  readonly channels: Channels
  readonly cut: Cut
  readonly reached = new Reached()
  violation: Violation | undefined
  /** Faults are over: the run must finish. */
  calm = false
  /** All actors are up. */
  started = false
  onViolation = () => {}
  /** Of `temporary`: what the replica has had in work that is not restarted. */
  readonly touched: Item[] = []
  readonly #clock: Clock
  readonly #random: Random
  readonly #hosts = new Map<string, FaultyHost>()
  readonly #states = new Map<string, string>()
  readonly #lives = new Map<string, number>()
  readonly #dead = new Map<string, number>()
  readonly #upSince = new Map<string, number>()
  readonly #failed = new Map<string, number>()
  readonly #diedAt = new Map<string, number>()
  readonly #deaths = new Map<string, number>()
  readonly #poisoned = new Map<string, Item>()
  readonly #tries = new Map<string, number>()
  readonly #expected = new Map<string, Item[]>()
  readonly #read = new Map<string, number>()
  readonly #published: { at: number; version: number }[] = []
  #faults = 0
  #version = () => -1

  constructor(plan: SimPlan, clock: Clock) {
    this.plan = plan
    this.#clock = clock
    this.#random = seededRandom(plan.seed, 'world')
    this.paths = new Paths(plan)
    const violate = (invariant: string, what: string) => this.violate(invariant, what)
    this.channels = new Channels(plan, violate)
    this.cut = new Cut(plan, this.paths, this.channels, violate)
  }

  violate(invariant: string, what: string): void {
    if (this.violation) return
    this.violation = { invariant, what: `${what} (at ${this.now()} ms)` }
    this.onViolation()
  }

  now(): number {
    return this.#clock.now()
  }

  /** Where the published version can be read. */
  watchVersion(version: () => number): void {
    this.#version = version
  }

  idOf(source: string, number: number): number {
    return Number(source.slice('source'.length)) * 1000 + number
  }

  /** Whether a fault may be put into an actor now; it is then. */
  fault(actor: string, probability: number): boolean {
    if (this.calm || probability <= 0 || !this.#random.chance(probability)) return false
    if (this.#faults >= this.plan.maxFaults || this.now() > this.plan.faultsUntilMs || !this.#bears(actor)) return false
    this.#faults++
    this.#dies(actor)
    return true
  }

  /** A life begins: the place, then the role in it. */
  hosted(host: FaultyHost): void {
    this.#lives.set(host.actor, (this.#lives.get(host.actor) ?? 0) + 1)
    this.#hosts.set(host.actor, host)
  }

  isPresent(host: FaultyHost): boolean {
    return this.#hosts.get(host.actor) === host
  }

  arrives(passage: Passage): void {
    this.channels.arrives(passage, this.now())
  }

  posts(passage: Passage): void {
    this.channels.posted(passage, this.now(), (actor) => this.#upSince.get(actor))
  }

  starts(actor: string): Life {
    const number = this.#lives.get(actor) ?? 0
    const { rates, mode, victim } = this.plan
    if (mode === 'start' && nodeOf(actor) === victim) throw new Error('it cannot start')
    if (this.started && number > 1 && this.fault(actor, rates.start)) {
      this.reached.add('fault: it throws at its start')
      throw new Error('it does not start this time')
    }
    const acts = (what: string) => this.#acts(actor, number, what)
    return {
      number,
      works: () => {
        acts('works')
        this.#mayThrow(actor)
      },
      begins: (item) => {
        acts(`works on ${spell(item)}`)
        this.#begins(actor, item)
      },
      setsAside: (item) => {
        acts(`sets ${spell(item)} aside`)
        this.#setsAside(actor, item)
      },
      snapshot: (state) => {
        acts('puts away')
        if (this.fault(actor, rates.snapshot)) {
          this.reached.add('fault: snapshot() throws')
          throw new Error('no snapshot this time')
        }
        return state
      },
      restore: (state) => {
        acts('restores')
        this.#expected.set(actor, this.cut.queueOf(actor))
        return state
      },
      ask: (answer) => {
        acts('answers')
        return answer
      },
      stops: () => acts('stops'),
    }
  }

  inOrder(actor: string, item: Item, last: number): void {
    if (this.plan.mode === 'temporary' || item.sent > last) return
    const how = item.sent === last ? 'was given again' : 'overtook'
    this.violate(
      'order of a pair',
      `${actor}: ${spell(item)}, number ${item.sent} of ${item.from}, came after ${last}: it ${how}`,
    )
  }

  /** A sampler reads a version, before its work. */
  reads(actor: string, version: number, flat: Float32Array, needed: number): void {
    if (flat.some((value) => value !== version))
      this.violate('whole versions', `${actor} read ${[...flat]} as ${version}`)
    if (version < (this.#read.get(actor) ?? -1))
      this.violate('versions never go back', `${actor} read ${version} after ${this.#read.get(actor)}`)
    if (version < needed)
      this.violate('staleness bound', `${actor} was admitted with version ${version}, and needs ${needed}`)
    this.checkVersion()
    this.#read.set(actor, version)
    if (needed > 0) this.reached.add('a sampler waits for a version')
  }

  newest(): number {
    return this.#version()
  }

  /** What it wrote it wrote with the version that was the newest when it began. */
  wrote(version: number, newest: number): void {
    if (version !== newest)
      this.violate(
        'versions are read before the work',
        `version ${version} is claimed for what was begun with ${newest}`,
      )
  }

  consumes(version: number, item: Item): void {
    const lag = version - item.version
    if (lag > this.plan.bound)
      this.violate('staleness bound', `${spell(item)} is ${lag} versions old, and ${this.plan.bound} may be`)
    if (lag > 0) this.reached.add('a stale item is consumed')
  }

  /** Nothing is published that its learner had not put away. */
  checkVersion(): void {
    const version = this.#version()
    const last = this.#published.at(-1)?.version ?? -1
    if (version < last) this.violate('versions never go back', `${version} is published after ${last}`)
    if (version > last) this.#published.push({ at: this.now(), version })
    const put = this.cut.version
    if (put !== undefined && version > put)
      this.violate('published after it was put away', `version ${version} is published, ${put} put away`)
  }

  commits(actor: string, commit: CellCommit): void {
    this.#acts(actor, this.#lives.get(actor) ?? 0, 'puts away')
    this.cut.put(actor, commit)
    this.checkVersion()
  }

  hears(event: RunEvent): void {
    if (event.type !== 'state') return
    const { name } = event.actor
    this.reached.add(`state: ${event.state}`)
    if (event.state === 'failed' && event.error?.message === 'poisoned') this.#diesOf(name)
    if (event.state === 'ready') this.#upSince.set(name, this.now())
    else this.#upSince.delete(name)
    if (event.state === 'failed') this.#failed.set(name, this.lives(name))
    const own = event.state === 'restarting' && event.error?.where === name
    if (own && this.#failed.get(name) !== this.lives(name))
      this.violate('every failure is seen', `${name} is restarted, and nobody was told that it had failed`)
    this.#states.set(name, `${event.state} at ${event.at} ms`)
    if (event.state === 'restarting' && event.error?.where !== name) this.reached.add('a supervisor restarts a sibling')
    if (event.state === 'failed' || event.state === 'restarting') {
      this.#dead.set(name, this.#lives.get(name) ?? 0)
      this.#diedAt.set(name, this.now())
    }
    if (event.error?.code) this.reached.add(`code: ${event.error.code}`)
  }

  allLives(): Iterable<readonly [actor: string, life: number]> {
    return this.#lives
  }

  /** A life before the last one has ended, and nobody heard that it failed. */
  failureUnseen(actor: string, lives: number): boolean {
    return (this.#dead.get(actor) ?? 0) < lives - 1
  }

  /** Who has not got through, and since when. */
  *waiting(): Generator<string> {
    for (const [actor, state] of this.#states) yield `${actor} (${state})`
  }

  lives(actor: string): number {
    return this.#lives.get(actor) ?? 0
  }

  #acts(actor: string, number: number, what: string): void {
    const now = this.#lives.get(actor)
    if (now !== number)
      this.violate('one life at a time', `${actor} ${what} in its life ${number}, and life ${now} has begun`)
    // What goes on when an item throws that was taken in the middle of a turn is of no consequence.
    const goesOn = what === 'stops' || (what === 'works' && this.#diedAt.get(actor) === this.now())
    if (!goesOn && (this.#dead.get(actor) ?? 0) >= number)
      this.violate('the dead do nothing', `${actor} ${what} in its life ${number}, which has failed`)
  }

  #begins(actor: string, item: Item): void {
    const { mode, victim } = this.plan
    this.#expects(actor, item)
    const isPoison =
      this.plan.poison.some(({ node, id }) => node === nodeOf(actor) && id === item.id % 1000) && !item.aside
    if (mode === 'exhaust' && nodeOf(actor) === victim) {
      this.#dies(actor)
      throw new Error('it throws at everything')
    }
    if (mode === 'temporary' && actor === `${victim}/0`) {
      this.touched.push(item)
      if (this.touched.length === 3) throw new Error('it throws once')
    }
    if (isPoison) {
      this.#poisoned.set(actor, item)
      this.#dies(actor)
      this.reached.add('fault: a poisoned message')
      throw new Error('poisoned')
    }
    this.#mayThrow(actor)
  }

  #mayThrow(actor: string): void {
    if (!this.fault(actor, this.plan.rates.throw)) return
    this.reached.add('fault: it throws in a turn')
    throw new Error('it throws this time')
  }

  #setsAside(actor: string, item: Item): void {
    this.reached.add('a message is set aside')
    this.#expects(actor, item)
    const deaths = this.#deaths.get(actor) ?? 0
    if (deaths < TRIES)
      this.violate('set aside after three tries', `${actor} gave ${spell(item)} up, and has died ${deaths} times`)
  }

  /** What waited when it was put away is taken in its old order. */
  #expects(actor: string, item: Item): void {
    const next = this.#expected.get(actor)?.shift()
    if (!next) return
    this.reached.add('a restored queue is worked off')
    if (next.from !== item.from || next.sent !== item.sent)
      this.violate(
        'a restored queue keeps its order',
        `${actor} was given ${spell(item)} of ${item.from}, and ${spell(next)} of ${next.from} was first`,
      )
  }

  #diesOf(actor: string): void {
    const item = this.#poisoned.get(actor) as Item
    const key = `${actor} ${spell(item)}`
    const tries = (this.#tries.get(key) ?? 0) + 1
    this.#tries.set(key, tries)
    if (tries > TRIES) this.violate('poison is set aside', `${actor} has died ${tries} times of ${spell(item)}`)
  }

  #dies(actor: string): void {
    this.#deaths.set(actor, (this.#deaths.get(actor) ?? 0) + 1)
  }

  /** An actor directly under the troupe is never brought to its end; under a supervisor, that one bears it. */
  #bears(actor: string): boolean {
    const { under, supervise, name } = this.paths.node(nodeOf(actor))
    if (under !== undefined) return true
    const poisoned = this.plan.poison.some(({ node }) => node === name)
    return !poisoned && (this.#deaths.get(actor) ?? 0) < (supervise.maxRestarts ?? 0)
  }
}

export function spell({ id, part, path }: Item): string {
  return `item ${id}${part < 0 ? '' : `.${part}`} (${path})`
}
