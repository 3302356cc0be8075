import { createTroupe, type Troupe, TroupeError } from '../../runtime/index.js'
import { createWeightStore } from '../../runtime/tensor/weight-store.js'
import { seededRandom } from '../../runtime/time/index.js'
import { createVirtualTime } from '../../runtime/time/virtual.js'
import { faultsOf } from './faults.js'
import { nodeOf, replicasOf } from './paths.js'
import { drawPlan, type SimPlan } from './plan.js'
import { type RoleState, roleOf } from './roles.js'
import { checkTemporary } from './temporary.js'
import { Trace } from './trace.js'
import { watchTime } from './watched-time.js'
import { type Violation, World } from './world.js'

export interface Simulated {
  readonly plan: SimPlan
  readonly violation: Violation | undefined
  readonly hash: string
  readonly last: readonly string[]
  readonly reached: ReadonlyMap<string, number>
  readonly steps: number
  readonly virtualMs: number
}

/** Time in which a run must finish once nothing goes wrong any more. */
const LIVENESS_MS = 2_000_000
/** Real time, after which a run is taken to be stuck for ever. */
const STUCK_MS = 20_000
const ASK_DEADLINE_MS = 5_000
const STOP_DEADLINE_MS = 10_000
const ASKS = 4

type Ask = () => Promise<unknown>

/** Runs one simulation. Never throws for what the simulated troupe does. */
export async function simulate(seed: number, print = false): Promise<Simulated> {
  return new Simulation(drawPlan(seed), print).run()
}

class Simulation {
  readonly #plan: SimPlan
  readonly #trace: Trace
  readonly #time = createVirtualTime()
  readonly #watched = watchTime(this.#time, (what) => this.#world.violate('no wait without a deadline', what))
  readonly #world: World
  readonly #troupe: Troupe
  readonly #asks = new Map<string, Ask>()
  #pendingAsks = 0
  #isOver = false

  constructor(plan: SimPlan, print: boolean) {
    this.#plan = plan
    this.#trace = new Trace(print)
    this.#world = new World(plan, this.#time.clock)
    this.#troupe = this.#build()
  }

  async run(): Promise<Simulated> {
    const world = this.#world
    const violated = new Promise<void>((resolve) => {
      world.onViolation = resolve
    })
    const stuck = setTimeout(() => world.violate('the run ends', `it is stuck; waiting: ${this.#waiting()}`), STUCK_MS)
    await Promise.race([this.#live(), violated])
    clearTimeout(stuck)
    this.#isOver = true
    const { channels, cut, reached } = world
    reached.add(`mode: ${this.#plan.mode}`)
    const seen = { 'a frame is sent again': channels.reach.again, 'a window is used up': channels.reach.full }
    const put = {
      'a cut is checked': cut.checks,
      'a queue is put away': cut.queues,
      'a backlog is put away': cut.backlogs,
    }
    for (const [what, times] of Object.entries({ ...seen, ...put })) if (times > 0) reached.add(what, times)
    this.#time.close()
    return {
      plan: this.#plan,
      violation: world.violation,
      hash: this.#trace.hash(),
      last: this.#trace.last,
      reached: reached.counts,
      steps: this.#time.steps,
      virtualMs: this.#time.clock.now(),
    }
  }

  async #live(): Promise<void> {
    const started = await settled(this.#troupe.start())
    if (started) return this.#judge('start', started)
    this.#world.started = true
    this.#askLater()
    const { stopAtMs, faultsUntilMs } = this.#plan
    const { clock } = this.#time
    clock.after(
      faultsUntilMs,
      () => {
        this.#world.calm = true
      },
      { weak: true },
    )
    clock.after(
      faultsUntilMs + LIVENESS_MS,
      () => this.#world.violate('the run ends', `it has not finished; waiting: ${this.#waiting()}`),
      { weak: true },
    )
    if (stopAtMs !== undefined) clock.after(stopAtMs, () => void this.#troupe.stop().catch(() => {}), { weak: true })
    const done = await settled(this.#troupe.done)
    this.#world.calm = true
    await this.#judge('done', done)
  }

  /** The run has come to its end: was it the right one, and is nothing left of it? */
  async #judge(moment: 'start' | 'done', error: unknown): Promise<void> {
    const { mode, victim } = this.#plan
    const world = this.#world
    const code = error instanceof TroupeError ? error.code : error
    const right = {
      lively: code === undefined,
      temporary: code === undefined,
      stop: code === undefined || code === 'E_STOPPED' || code === 'E_ACTOR_FAILED',
      exhaust: code === 'E_RESTARTS' && (error as TroupeError).where === victim,
      start: moment === 'start' && code === 'E_ACTOR_FAILED',
    }
    if (mode === 'exhaust' && code === 'E_RESTARTS') this.#checkExhausted(error as TroupeError)
    else if (mode === 'exhaust' && code === undefined && !this.#isExhausted()) world.cut.checkDone()
    else if (!right[mode])
      world.violate('the run ends as it should', `${mode}: ${describe(error)}; waiting: ${this.#waiting()}`)
    if (mode === 'lively') world.cut.checkDone()
    if (mode === 'temporary' && code === undefined) await checkTemporary(world, (name) => this.#statesOf(name))
    await this.#stop()
  }

  #checkExhausted(error: TroupeError): void {
    const actor = error.where ?? ''
    const borne = this.#world.paths.node(nodeOf(actor))?.supervise.maxRestarts ?? -1
    if (this.#world.lives(actor) !== borne + 1 || nodeOf(actor) !== this.#plan.victim)
      this.#world.violate(
        'a budget is kept',
        `${actor} had ${this.#world.lives(actor)} lives, and ${borne} restarts are borne`,
      )
  }

  /** Whether the victim has died more often than is borne; it may have had too few items for that. */
  #isExhausted(): boolean {
    const { name, replicas, supervise } = this.#world.paths.node(this.#plan.victim as string)
    return replicasOf({ name, replicas }).some((actor) => this.#world.lives(actor) > (supervise.maxRestarts ?? 0) + 1)
  }

  async #stop(): Promise<void> {
    const world = this.#world
    world.calm = true
    const error = await settled(this.#troupe.stop())
    const late = this.#plan.mode === 'stop' && error instanceof TroupeError && error.code === 'E_ACTOR_FAILED'
    if (error && !late) world.violate('stop leaves nothing behind', `it failed: ${describe(error)}`)
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#pendingAsks > 0) world.violate('no wait without a deadline', `${this.#pendingAsks} asks are pending`)
    const { timers, holds } = this.#watched.left()
    if (holds > 0) world.violate('stop leaves nothing behind', `time is held ${holds} times`)
    if (timers.length > 0) world.violate('stop leaves nothing behind', `timers: ${timers.join('; ')}`)
    for (const [actor, life] of world.allLives())
      if (world.failureUnseen(actor, life))
        world.violate('every failure is seen', `nobody heard of the end of ${actor}, life ${life}`)
    this.#isOver = true
    await new Promise((resolve) => setImmediate(resolve))
  }

  #waiting(): string {
    return [...this.#world.waiting()].join(', ') || 'nobody'
  }

  async #statesOf(name: string): Promise<readonly RoleState[]> {
    return (await this.#asks.get(`${name} all`)?.()) as RoleState[]
  }

  #build(): Troupe {
    const { seed, nodes, edges, supervisors, meanMs, linkMs } = this.#plan
    const world = this.#world
    const { time } = this.#watched
    const faults = faultsOf(world, time)
    const weights = createWeightStore({ entries: [{ name: 'w', shape: [4], offset: 0, length: 4 }], total: 4 })
    world.watchVersion(() => weights.version())
    const straggler = { probability: 0.02, factor: 50 }
    const troupe = createTroupe({
      stage: 'virtual',
      seed,
      weights: weights.handle,
      askDeadlineMs: ASK_DEADLINE_MS,
      stopDeadlineMs: STOP_DEADLINE_MS,
      heartbeatMs: 100,
      hangAfterMs: 500,
      observe: (event) => {
        if (this.#isOver)
          world.violate(
            'stop leaves nothing behind',
            `${event.type} of ${'actor' in event ? event.actor.name : ''} after the end`,
          )
        this.#trace.event(event)
        world.hears(event)
      },
      virtual: {
        time,
        costs: { '*': { distribution: 'exponential', meanMs, straggler } },
        links: { '*->*': linkMs === 0 ? 0 : { distribution: 'exponential', meanMs: linkMs } },
        faults: {
          ...faults,
          posted: (passage) => {
            this.#trace.frame(this.#time.clock.now(), passage)
            faults.posted?.(passage)
          },
        },
      },
    })
    for (const supervisor of supervisors) troupe.supervisor(supervisor)
    const refs = new Map(
      nodes.map((node) => {
        const { name, replicas, under, supervise } = node
        const ref = troupe.actor(roleOf(node, world), { name, replicas, under, supervise, config: {} as never })
        this.#asks.set(name, () => (ref.ask as unknown as { sent: Ask }).sent())
        this.#asks.set(`${name} all`, () => (ref.askAll as unknown as { state: Ask }).state())
        return [name, ref] as const
      }),
    )
    for (const { from, to, credits } of edges) {
      const output = refs.get(from)?.outputs.items as never
      troupe.connect(output, refs.get(to)?.inputs.items as never, { credits })
    }
    return troupe
  }

  #askLater(): void {
    const { seed, nodes, faultsUntilMs } = this.#plan
    const random = seededRandom(seed, 'asks')
    for (let i = 0; i < ASKS; i++) {
      const ask = this.#asks.get(random.pick(nodes).name) as Ask
      this.#time.clock.after(random.float() * Math.min(500, faultsUntilMs), () => void this.#ask(ask), { weak: true })
    }
  }

  async #ask(ask: Ask): Promise<void> {
    if (this.#isOver) return
    const at = this.#time.clock.now()
    this.#pendingAsks++
    const error = await settled(ask())
    this.#pendingAsks--
    this.#world.reached.add(error ? 'an ask finds its actor down' : 'an ask is answered')
    const tookMs = this.#time.clock.now() - at
    if (tookMs > 2 * ASK_DEADLINE_MS) this.#world.violate('no wait without a deadline', `an ask took ${tookMs} ms`)
  }
}

/** What it was rejected with. */
async function settled(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  }
}

function describe(error: unknown): string {
  return error instanceof TroupeError ? `${error.code}: ${error.sentence()}` : String(error)
}
