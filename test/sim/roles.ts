import { concatMap, mergeMap, Observable, from as of } from 'rxjs'
import { z } from 'zod'
import {
  type ActorContext,
  type ActorDefinition,
  type Api,
  type Ports,
  port,
  type RunningActor,
} from '../../runtime/index.js'
import type { Item } from './paths.js'

import type { SimNode } from './plan.js'
import type { Life, World } from './world.js'

/** What every role of a simulation puts away: the observer reads it. */
export interface RoleState {
  /** Messages sent so far, over all lives. */
  sent: number
  /** Of a source, the next number; of a learner, what it has consumed. */
  count: number
  /** Of whom the last number was, by sender. */
  last: Record<string, number>
  /** Taken and not done. */
  held: Item[]
  /** Dropped, for a reason; collected. */
  dropped: Item[]
  seen: Item[]
}

type Context = ActorContext<unknown>
type Streams = (items: Observable<Item>) => Observable<Item>

const EVERY = 7

/** One role of a simulation, which tells the world what it does. */
export function roleOf(node: SimNode, world: World): ActorDefinition {
  const input = { items: port<Item>() }
  const output = { items: port<Item>() }
  return {
    module: import.meta.url,
    role: node.name,
    inputs: node.kind === 'source' ? {} : input,
    outputs: node.kind === 'collector' ? {} : output,
    config: z.strictObject({}),
    start: (context) => new Role(node, world, context).running,
  }
}

class Role {
  readonly #node: SimNode
  readonly #world: World
  readonly #context: Context
  readonly #life: Life
  #state: RoleState = { sent: 0, count: 0, last: {}, held: [], dropped: [], seen: [] }

  constructor(node: SimNode, world: World, context: Context) {
    this.#node = node
    this.#world = world
    this.#context = context
    this.#life = world.starts(context.self.name)
    if (node.kind === 'learner' && context.weights.version() < 0) context.weights.publish(0, new Float32Array(4))
  }

  get running(): RunningActor<Ports, Ports, Api> {
    return {
      streams: ({ items }) => this.#streams(items as Observable<Item>),
      snapshot: () => this.#life.snapshot(this.#state),
      restore: (state) => {
        this.#state = this.#life.restore(structuredClone(state) as RoleState)
        this.#publishAgain()
      },
      setAside: (_input, message) => this.#setAside(message as Item),
      api: { sent: () => this.#life.ask(this.#state.sent), state: () => this.#state },
      stop: () => this.#life.stops(),
    }
  }

  #streams(items: Observable<Item>): Record<string, Observable<Item>> {
    const { turn } = this.#context
    const ways: Record<SimNode['kind'], Streams> = {
      source: () => turn.generate('issue', () => this.#issue()),
      worker: (input) => input.pipe(turn((item) => this.#pass(this.#begin(item)))),
      looper: (input) => this.#loop(input),
      judge: (input) =>
        input.pipe(
          turn((item) => this.#judge(this.#begin(item))),
          concatMap((out) => of(out)),
        ),
      splitter: (input) =>
        input.pipe(
          turn((item) => this.#split(this.#begin(item))),
          mergeMap((out) => of(out)),
        ),
      merger: (input) =>
        input.pipe(
          turn((item) => this.#merge(this.#begin(item))),
          concatMap((out) => of(out)),
        ),
      sampler: (input) => this.#sample(input),
      learner: (input) => input.pipe(turn((item) => this.#learn(this.#begin(item)))),
      collector: (input) => input.pipe(turn((item) => this.#collect(this.#begin(item)))),
    }
    const output = ways[this.#node.kind](items)
    if (this.#node.kind !== 'collector') return { items: output }
    output.subscribe()
    return {}
  }

  /** An item is in work. */
  #begin(item: Item): Item {
    this.#life.begins(item)
    this.#inOrder(item)
    return item
  }

  #inOrder(item: Item): void {
    this.#world.inOrder(this.#context.self.name, item, this.#state.last[item.from] ?? -1)
    this.#state.last[item.from] = item.sent
  }

  #send(item: Omit<Item, 'from' | 'life' | 'sent'>): Item {
    return { ...item, from: this.#context.self.name, life: this.#life.number, sent: this.#state.sent++ }
  }

  #pass(item: Item, change: Partial<Item> = {}): Item {
    return this.#send({ ...item, path: `${item.path}${this.#node.name}>`, ...change })
  }

  *#issue(): Generator<Item> {
    const state = this.#state
    while (state.count < this.#node.count) {
      this.#life.works()
      const number = state.count++
      const id = this.#world.idOf(this.#node.name, number)
      yield this.#send({ id, number, path: `${this.#node.name}>`, part: -1, version: -1, aside: false })
    }
  }

  /** An actor with a loop of its own, as one that decodes a changing batch: what it has taken waits in it. */
  #loop(items: Observable<Item>): Observable<Item> {
    const { turn } = this.#context
    const state = this.#state
    return new Observable((subscriber) => {
      let loops = false
      let ended = false
      const step = () => {
        this.#life.works()
        return state.held.splice(0, 2).map((item) => this.#pass(item))
      }
      const loop = async () => {
        loops = true
        while (state.held.length > 0) for (const out of await turn.run('step', step, { take: 2 })) subscriber.next(out)
        loops = false
        if (ended) subscriber.complete()
      }
      const go = () => {
        if (!loops) loop().catch((error: unknown) => subscriber.error(error))
      }
      go()
      return items.subscribe({
        next: (item) => {
          this.#begin(item)
          state.held.push(item)
          go()
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          ended = true
          go()
        },
      })
    })
  }

  #judge(item: Item): Item[] {
    if (item.id % EVERY !== 0 || item.aside) return [this.#pass(item)]
    this.#state.dropped.push(item)
    return []
  }

  #split(item: Item): Item[] {
    if (item.aside) return [this.#pass(item)]
    return Array.from({ length: this.#world.plan.parts }, (_, part) => this.#pass(item, { part }))
  }

  #merge(item: Item): Item[] {
    if (item.part < 0) return [this.#pass(item)]
    const state = this.#state
    const alike = (each: Item) => each.id === item.id && each.path === item.path
    const others = state.held.filter(alike)
    if (others.length + 1 < this.#world.plan.parts) {
      state.held.push(item)
      return []
    }
    state.held = state.held.filter((each) => !alike(each))
    return [this.#pass(item, { part: -1, aside: item.aside || others.some(({ aside }) => aside) })]
  }

  /** Reads its version, then writes; meanwhile newer versions come. */
  #sample(items: Observable<Item>): Observable<Item> {
    const { turn, weights, signal } = this.#context
    const { publishEvery, bound } = this.#world.plan
    const needed = ({ number }: Item) => Math.max(0, Math.floor(number / publishEvery) - bound)
    const flat = new Float32Array(4)
    const ready = async (item: Item) => {
      await weights.atLeast(needed(item), { deadlineMs: 1e8, signal })
    }
    const read = (item: Item) => {
      this.#begin(item)
      const version = weights.follow(flat)
      this.#world.reads(this.#context.self.name, version, flat, needed(item))
      return { item, version, newest: this.#world.newest() }
    }
    return items.pipe(
      turn(read, { name: 'read', ready }),
      turn(({ item, version, newest }) => {
        this.#life.works()
        const out = this.#pass(item, { version })
        this.#world.wrote(out.version, newest)
        return out
      }),
    )
  }

  #learn(item: Item): Item {
    const { publishEvery } = this.#world.plan
    if (!item.aside) this.#world.consumes(Math.floor(this.#state.count / publishEvery), item)
    this.#count()
    return this.#pass(item)
  }

  #count(): void {
    const { publishEvery } = this.#world.plan
    const count = ++this.#state.count
    const version = count / publishEvery
    if (count % publishEvery === 0) this.#context.weights.publish(version, new Float32Array(4).fill(version))
  }

  /** Its host may have ended after it had put a version away, and before that was published. */
  #publishAgain(): void {
    if (this.#node.kind !== 'learner') return
    const { weights } = this.#context
    const version = Math.floor(this.#state.count / this.#world.plan.publishEvery)
    if (version > Math.max(0, weights.version())) weights.publish(version, new Float32Array(4).fill(version))
  }

  #collect(item: Item): Item {
    this.#state.seen.push(item)
    return item
  }

  #setAside(item: Item): Readonly<Record<string, unknown>> {
    this.#life.setsAside(item)
    this.#inOrder(item)
    const given = { ...item, aside: true }
    const { kind } = this.#node
    if (kind === 'collector') {
      this.#collect(given)
      return {}
    }
    if (kind === 'learner') this.#count()
    const [out] = kind === 'merger' ? this.#merge(given) : [this.#pass(given)]
    return out ? { items: out } : {}
  }
}
