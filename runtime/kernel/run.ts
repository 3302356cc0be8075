import type { RunEvent } from '../observe/events.js'
import { watchHeartbeat } from '../placement/heartbeat.js'
import type { CellSpec, HostSink, Stage } from '../placement/stage.js'
import type { WeightStoreHandle } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'
import { fromWire, TroupeError, toWire } from './errors.js'
import { actorFailed, isLate } from './failures.js'
import type { TroupeState } from './journal.js'
import { Member, type MemberState } from './member.js'
import { memberNames, type Plan, type PlannedActor } from './plan.js'
import { Restarts } from './restarts.js'
import { Supervision } from './supervision.js'
import { type Channel, channelsOf, wiringPlanOf } from './wiring-plan.js'

export interface RunOptions {
  readonly seed: number
  readonly weights: WeightStoreHandle | undefined
  readonly observe: (event: RunEvent) => void
  readonly clock: Clock
  readonly startDeadlineMs: number
  readonly stopDeadlineMs: number
  /** How often the host of an actor that may be restarted is asked whether it is there, and without an answer for how long it hangs. */
  readonly heartbeatMs: number
  readonly hangAfterMs: number
  /** Every actor puts away what it does, so that the run can be written down and resumed. */
  readonly journaled: boolean
  /** Everything that crosses goes through the codec of processes. */
  readonly remote: boolean
  /** Where another run of the same troupe was. */
  readonly resume?: Pick<TroupeState, 'members' | 'restarts'> | undefined
  /** All output streams of all actors have completed. */
  readonly onCompleted: () => void
  /** The first failure that nobody answers for; the run stops by itself then. */
  readonly onFailed: (error: TroupeError) => void
}

/** A troupe from start to stop, on a stage. */
export class Run<H> {
  readonly options: RunOptions
  readonly supervision: Supervision
  readonly #stage: Stage<H>
  readonly #members: Member<H>[] = []
  readonly #actors = new Map<string, PlannedActor>()
  readonly #byActor = new Map<string, readonly Member<H>[]>()
  readonly #channels: readonly Channel[]
  readonly #restarts: Restarts<H>
  #failure: TroupeError | undefined
  #stopping: Promise<void> | undefined
  #renewing: Promise<void> | undefined

  constructor(plan: Plan, stage: Stage<H>, options: RunOptions) {
    this.#stage = stage
    this.options = options
    this.supervision = new Supervision(plan.supervised)
    this.#restarts = new Restarts(this)
    for (const actor of plan.actors) {
      const { role } = actor.definition
      const members = memberNames(actor).map((name, replica) => {
        this.#actors.set(name, actor)
        return new Member<H>({ name, role, replica }, options.clock)
      })
      this.#byActor.set(actor.name, members)
      this.#members.push(...members)
    }
    this.#channels = channelsOf(plan, (actor) => this.replicas(actor).map(({ name }) => name))
    this.#resumeFrom(options.resume)
  }

  #resumeFrom(resume: RunOptions['resume']): void {
    if (!resume) return
    const names = this.#members.map(({ name }) => name)
    if (names.toSorted().join() !== Object.keys(resume.members).sort().join())
      throw new TroupeError('E_JOURNAL', `the snapshot is of ${Object.keys(resume.members).join(', ')}`, {
        hint: `This troupe has ${names.join(', ')}: resume it with the configuration that it was started with`,
      })
    for (const member of this.#members) member.resumeFrom(resume.members[member.name] as MemberState)
    this.supervision.resumeFrom(resume.restarts)
  }

  replicas(actor: string): readonly Member<H>[] {
    return this.#byActor.get(actor) ?? []
  }

  member(name: string): Member<H> {
    const member = this.#members.find((each) => each.name === name)
    if (!member) throw new TroupeError('E_INVARIANT', `there is no actor "${name}"`)
    return member
  }

  get members(): readonly Member<H>[] {
    return this.#members
  }

  get channels(): readonly Channel[] {
    return this.#channels
  }

  /** Nobody fails or is being restarted at this moment. */
  get settled(): boolean {
    return this.#members.every(({ life }) => life === 'up' || life === 'gone')
  }

  get completed(): boolean {
    return this.#members.every(({ completed }) => completed)
  }

  get stopping(): boolean {
    return this.#stopping !== undefined
  }

  /** All actors ready, then all channels wired. After a failure everything that was started has been stopped. */
  async start(): Promise<void> {
    try {
      await this.#live()
    } catch (error) {
      await this.stop().catch(() => {})
      throw this.#failure ?? error
    }
  }

  /** Stops between turns, the last actor first; always the same promise. */
  stop(): Promise<void> {
    this.#stopping ??= this.#renewing ? this.#renewing.then(() => this.#stop()) : this.#stop()
    return this.#stopping
  }

  /**
   * Every actor, paused before, begins a new life where it was, exactly as in a run that is resumed; nothing lives while
   * `between` runs. So a run that was resumed there and one that was not are the same from then on.
   */
  renew(between: () => Promise<void>): Promise<void> {
    this.#renewing = this.#renew(between)
      .catch((error) => {
        this.end(error instanceof TroupeError ? error : actorFailed('run', error))
        void this.stop().catch(() => {})
      })
      .finally(() => {
        this.#renewing = undefined
      })
    return this.#renewing
  }

  async #renew(between: () => Promise<void>): Promise<void> {
    const errors: unknown[] = []
    for (const member of this.#living.toReversed()) {
      await this.retire(member, (error) => void errors.push(error))
      member.rest()
    }
    if (errors.length > 0) throw errors[0]
    await between()
    if (!this.#stopping) await this.#live()
  }

  /** Every actor in a place of its own, then wired with the others. */
  async #live(): Promise<void> {
    for (const member of this.#living) this.host(member)
    await this.#startAll()
    const there = this.#channels.filter(({ from, to }) => this.#lives(from) && this.#lives(to))
    const ends = new Map(there.map((channel) => [channel.id, this.#stage.pair(channel.from, channel.to)]))
    await this.#each((member) => this.#wireOne(member, ({ id, from }) => ends.get(id)?.[from === member.name ? 0 : 1]))
    for (const member of this.#members) if (member.life === 'gone') this.abandon(member)
  }

  get #living(): Member<H>[] {
    return this.#members.filter(({ life }) => life !== 'gone')
  }

  #lives(name: string): boolean {
    return this.member(name).life !== 'gone'
  }

  /** A place for the next life of a member. */
  host(member: Member<H>): void {
    const { definition, replicas, config } = this.#actors.get(member.name) as PlannedActor
    const { seed, weights, journaled } = this.options
    const { module, role } = definition
    const { name, replica } = member.identity
    const commits = journaled || this.supervision.mayRestart(name)
    const resume = member.state
    const spec: CellSpec = {
      name,
      role,
      replica,
      replicas,
      module,
      config,
      seed,
      weights,
      commits,
      outlived: this.supervision.mayBeOutlived(name),
      remote: this.options.remote,
      resume,
      aside: member.aside,
    }
    member.live(this.#stage.host(spec, definition, this.#sink(member)))
  }

  async startOne(member: Member<H>): Promise<void> {
    const { clock } = this.options
    this.observe({ type: 'state', actor: member.identity, at: clock.now(), state: 'starting' })
    await this.#step(member, `starting ${member.name}`, member.control.start())
  }

  /** Wires a member that was restarted with those that are there; the others will find it when they are. */
  async connect(member: Member<H>): Promise<void> {
    const others: (() => void)[] = []
    await this.#wireOne(
      member,
      (channel) => {
        const outgoing = channel.from === member.name
        const other = this.member(outgoing ? channel.to : channel.from)
        if (other !== member && !other.attachable) return undefined
        const [near, far] = this.#stage.pair(channel.from, channel.to)
        const [own, its] = outgoing ? [near, far] : [far, near]
        others.push(() => void other.control.rewire({ channel: channel.id, end: its }).catch(() => {}))
        return own
      },
      () => {
        for (const tell of others) tell()
      },
    )
  }

  /** A member is not restarted: its receivers get an end, and what was on its way to it goes to its siblings. */
  abandon(member: Member<H>): void {
    member.become('gone')
    for (const channel of this.#channels) {
      if (channel.from !== member.name && channel.to !== member.name) continue
      const other = this.member(channel.from === member.name ? channel.to : channel.from)
      if (other.attachable) void other.control.rewire({ channel: channel.id, end: undefined }).catch(() => {})
    }
    this.#completed(member)
  }

  observe(event: RunEvent): void {
    try {
      this.options.observe(event)
    } catch (error) {
      this.end(new TroupeError('E_ACTOR_FAILED', 'the observer failed', { where: 'observe', cause: error }))
      void this.stop().catch(() => {})
    }
  }

  /** The run has failed. */
  end(error: TroupeError): void {
    if (this.#failure) return
    this.#failure = error
    this.options.onFailed(error)
  }

  /** Stops one member's present life as far as it can be; what comes of it is given to `onError`. */
  async retire(member: Member<H>, onError: (error: unknown) => void): Promise<void> {
    await this.#ending(member, 'halt', onError)
    await this.#ending(member, 'dispose', onError)
    member.retired = true
  }

  /**
   * Actors directly under the troupe start all at once: nobody hears of another before all are ready. Those under a
   * supervisor start one after another, because one may rely on those before it.
   */
  async #startAll(): Promise<void> {
    const before = new Map<string, Promise<void>>()
    await this.#each((member) => {
      const top = this.supervision.topOf(member.name)
      const started = ((top !== undefined && before.get(top)) || Promise.resolve()).then(() => this.startOne(member))
      if (top !== undefined) before.set(top, started)
      return started
    })
  }

  /** Starts or wires: one after another where the stage asks for it, else all at once; waits for all, then fails. */
  async #each(work: (member: Member<H>) => Promise<void>): Promise<void> {
    const results: Promise<void>[] = []
    for (const member of this.#living) {
      const result = work(member)
      result.catch(() => {})
      results.push(result)
      if (this.#stage.sequential) await result
    }
    await Promise.allSettled(results)
    await Promise.all(results)
  }

  async #wireOne(member: Member<H>, endOf: (channel: Channel) => H | undefined, sent = () => {}): Promise<void> {
    const prospects = (receiver: string) => ({
      keep: this.options.journaled || this.supervision.mayRestart(receiver),
      outlived: this.supervision.mayBeOutlived(receiver),
    })
    const plan = wiringPlanOf(member.name, this.#channels, endOf, prospects)
    member.become('wiring')
    const wired = member.control.wire(plan)
    sent()
    await this.#step(member, `wiring ${member.name}`, wired)
    if (member.life !== 'wiring') return
    member.become('up')
    this.#watch(member)
  }

  /** Who may be restarted is ended when it hangs, and fails by that. */
  #watch(member: Member<H>): void {
    const { clock, heartbeatMs, hangAfterMs, stopDeadlineMs } = this.options
    const { name, host } = member
    if (!this.supervision.mayRestart(name)) return
    const onHung = async (error: TroupeError) => {
      member.lives++ // what its end still says is not heard: why it was ended is
      member.lose()
      await host
        .kill(stopDeadlineMs)
        .catch((cause) => this.log(member, `its place cannot be ended: ${toWire(cause).message}`))
      this.#died(member, error)
    }
    member.watched(
      watchHeartbeat(host.control, { name, clock, heartbeatMs, hangAfterMs, onHung: (error) => void onHung(error) }),
    )
  }

  log({ identity: actor }: Member<H>, message: string): void {
    this.observe({ type: 'log', actor, at: this.options.clock.now(), level: 'error', message })
  }

  async #step(member: Member<H>, what: string, answer: ReturnType<Member<H>['control']['start']>): Promise<void> {
    if (this.#stopping) throw new TroupeError('E_STOPPED', 'the troupe was stopped while it started')
    try {
      await member.call(what, answer, this.options.startDeadlineMs)
    } catch (error) {
      const late = isLate(error)
      if (late) member.lose()
      const failure = late ? error : actorFailed(member.name, error)
      if (member.restarts === 0 && !this.#stopping) {
        member.down('failed', failure)
        this.end(failure)
      }
      throw failure
    }
  }

  #sink(member: Member<H>): HostSink {
    const life = ++member.lives
    const ofThisLife =
      <A extends unknown[]>(hear: (...args: A) => void) =>
      (...args: A): void => {
        if (member.lives === life) hear(...args)
      }
    return {
      event: (event) => this.observe(event),
      completed: ofThisLife(() => this.#completed(member)),
      failed: ofThisLife((error) => this.#restarts.failed(member, fromWire(error))),
      died: ofThisLife((error, ownWill) => this.#died(member, error, ownWill)),
      taking: ofThisLife((channel, seq) => member.taking(channel, seq)),
      commit: ofThisLife((commit) => {
        member.commit(commit)
        for (const event of commit.events) this.observe(event)
      }),
    }
  }

  #completed(member: Member<H>): void {
    member.completed = true
    if (this.completed) this.options.onCompleted()
  }

  #died(member: Member<H>, error: Error, ownWill = false): void {
    member.lose()
    if (member.life === 'stopped' || member.life === 'failed' || member.life === 'restarting') return
    const at = this.options.clock.now()
    this.observe({ type: 'state', actor: member.identity, at, state: 'failed', error: toWire(error) })
    this.#restarts.failed(member, error, ownWill)
  }

  async #stop(): Promise<void> {
    const { stopDeadlineMs } = this.options
    const errors: unknown[] = []
    const onError = (error: unknown) => void errors.push(error)
    this.#restarts.stop()
    await Promise.all(this.#members.map((member) => this.#ending(member, 'halt', onError)))
    for (const member of this.#members.toReversed()) {
      await this.#ending(member, 'dispose', onError)
      member.down('stopped')
    }
    await this.#stage.close(stopDeadlineMs).catch(onError)
    if (errors.length > 0) throw errors[0]
  }

  async #ending(member: Member<H>, step: 'halt' | 'dispose', onError: (error: unknown) => void): Promise<void> {
    if (member.lost || member.retired || member.life === 'new') return
    try {
      const what = step === 'halt' ? 'halting' : 'stopping'
      await member.callDown(`${what} ${member.name}`, member.control[step](), this.options.stopDeadlineMs)
    } catch (error) {
      const late = isLate(error)
      if (late) member.lose()
      onError(late ? error : actorFailed(member.name, error))
    }
  }
}
