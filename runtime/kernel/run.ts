import type { RunEvent } from '../observe/events.js'
import type { HostSink, Stage } from '../placement/stage.js'
import type { WeightStoreHandle } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'
import { fromWire, TroupeError, toWire } from './errors.js'
import { Member } from './member.js'
import type { Plan, PlannedActor } from './plan.js'
import { wiringPlans } from './wiring-plan.js'

export interface RunOptions {
  readonly seed: number
  readonly weights: WeightStoreHandle | undefined
  readonly observe: (event: RunEvent) => void
  readonly clock: Clock
  readonly startDeadlineMs: number
  readonly stopDeadlineMs: number
  /** All output streams of all actors have completed. */
  readonly onCompleted: () => void
  /** The first failure; the run stops by itself then. */
  readonly onFailed: (error: TroupeError) => void
}

/** A troupe from start to stop, on a stage. */
export class Run<H> {
  readonly #plan: Plan
  readonly #stage: Stage<H>
  readonly #options: RunOptions
  readonly #members: Member<H>[] = []
  readonly #byActor = new Map<string, readonly Member<H>[]>()
  #failure: TroupeError | undefined
  #stopping: Promise<void> | undefined

  constructor(plan: Plan, stage: Stage<H>, options: RunOptions) {
    this.#plan = plan
    this.#stage = stage
    this.#options = options
    for (const actor of plan.actors) {
      const members = Array.from({ length: actor.replicas }, (_, replica) => this.#host(actor, replica))
      this.#byActor.set(actor.name, members)
      this.#members.push(...members)
    }
  }

  replicas(actor: string): readonly Member<H>[] {
    return this.#byActor.get(actor) ?? []
  }

  /** All actors ready, then all channels wired. After a failure everything that was started has been stopped. */
  async start(): Promise<void> {
    try {
      await this.#each((member) => this.#startOne(member))
      const plans = wiringPlans(
        this.#plan,
        (actor) => this.replicas(actor),
        () => this.#stage.pair(),
      )
      await this.#each((member) => {
        const plan = plans.get(member) ?? { inputs: [], outputs: [] }
        return this.#step(member, `wiring ${member.name}`, member.control.wire(plan))
      })
    } catch (error) {
      await this.stop().catch(() => {})
      throw this.#failure ?? error
    }
  }

  /** Stops between turns, the last actor first; always the same promise. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Starts or wires: one after another where the stage asks for it, else all at once; waits for all, then fails. */
  async #each(work: (member: Member<H>) => Promise<void>): Promise<void> {
    const results: Promise<void>[] = []
    for (const member of this.#members) {
      const result = work(member)
      result.catch(() => {})
      results.push(result)
      if (this.#stage.sequential) await result
    }
    await Promise.allSettled(results)
    await Promise.all(results)
  }

  async #startOne(member: Member<H>): Promise<void> {
    const { clock } = this.#options
    this.#observe({ type: 'state', actor: member.identity, at: clock.now(), state: 'starting' })
    await this.#step(member, `starting ${member.name}`, member.control.start())
    member.up()
  }

  async #step(member: Member<H>, what: string, answer: ReturnType<Member<H>['control']['start']>): Promise<void> {
    if (this.#stopping) throw new TroupeError('E_STOPPED', 'the troupe was stopped while it started')
    try {
      await member.call(what, answer, this.#options.startDeadlineMs)
    } catch (error) {
      const late = isLate(error)
      if (late) member.lose()
      if (!this.#stopping) this.#fail(member, late ? error : actorFailed(member.name, error), { stop: false })
      throw error
    }
  }

  #host(actor: PlannedActor, replica: number): Member<H> {
    const { definition, replicas, config } = actor
    const name = replicas === 1 ? actor.name : `${actor.name}/${replica}`
    const { seed, weights, clock } = this.#options
    const { module, role } = definition
    const sink: HostSink = {
      event: (event) => this.#observe(event),
      completed: () => this.#completed(member),
      failed: (error) => this.#fail(member, actorFailed(name, fromWire(error))),
      died: (error) => this.#died(member, error),
    }
    const spec = { name, role, replica, replicas, module, config, seed, weights }
    const member: Member<H> = new Member({ name, role, replica }, this.#stage.host(spec, definition, sink), clock)
    return member
  }

  #observe(event: RunEvent): void {
    try {
      this.#options.observe(event)
    } catch (error) {
      const cause = new TroupeError('E_ACTOR_FAILED', 'the observer failed', { where: 'observe', cause: error })
      this.#end(cause)
      void this.stop().catch(() => {})
    }
  }

  #completed(member: Member<H>): void {
    member.completed = true
    if (this.#members.every(({ completed }) => completed)) this.#options.onCompleted()
  }

  #died(member: Member<H>, error: Error): void {
    member.lose()
    if (member.life === 'stopped' || member.life === 'failed') return
    const at = this.#options.clock.now()
    this.#observe({ type: 'state', actor: member.identity, at, state: 'failed', error: toWire(error) })
    this.#fail(member, actorFailed(member.name, error))
  }

  #fail(member: Member<H>, error: TroupeError, { stop } = { stop: true }): void {
    member.down('failed', error)
    this.#end(error)
    if (stop) void this.stop().catch(() => {})
  }

  #end(error: TroupeError): void {
    if (this.#failure) return
    this.#failure = error
    this.#options.onFailed(error)
  }

  async #stop(): Promise<void> {
    const { stopDeadlineMs } = this.#options
    const errors: unknown[] = []
    const attempt = async (member: Member<H>, what: string, call: () => ReturnType<typeof member.control.halt>) => {
      if (member.lost) return
      try {
        await member.callDown(`${what} ${member.name}`, call(), stopDeadlineMs)
      } catch (error) {
        const late = isLate(error)
        if (late) member.lose()
        errors.push(late ? error : actorFailed(member.name, error))
      }
    }
    await Promise.all(this.#members.map((member) => attempt(member, 'halting', () => member.control.halt())))
    for (const member of this.#members.toReversed()) {
      await attempt(member, 'stopping', () => member.control.dispose())
      member.down('stopped')
    }
    await this.#stage.close(stopDeadlineMs).catch((error: unknown) => errors.push(error))
    if (errors.length > 0) throw errors[0]
  }
}

function isLate(error: unknown): error is TroupeError {
  return error instanceof TroupeError && error.code === 'E_DEADLINE'
}

function actorFailed(name: string, cause: unknown): TroupeError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new TroupeError('E_ACTOR_FAILED', `${name} failed: ${message}`, { where: name, cause })
}
