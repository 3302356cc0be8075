import type { z } from 'zod'
import type { RunEvent } from '../observe/events.js'
import type { Stage } from '../placement/stage.js'
import type { VirtualOptions, VirtualStage } from '../placement/virtual.js'
import { openWeightStore } from '../tensor/weight-store.js'
import type { WeightStoreHandle } from '../tensor/weights.js'
import { type Clock, realClock } from '../time/clock.js'
import { createVirtualTime, type VirtualTime } from '../time/virtual.js'
import type { ActorDefinition, Api, Ports } from './actor.js'
import { TroupeError } from './errors.js'
import type { Snapshots, TroupeJournal, TroupeState } from './journal.js'
import type { Member } from './member.js'
import {
  type ActorOptions,
  type ConnectOptions,
  memberNames,
  PLACEMENTS,
  type Placement,
  Plan,
  type SupervisorOptions,
} from './plan.js'
import { type ActorRef, askProxy, type InputRef, type OutputRef } from './refs.js'
import type { Run } from './run.js'

export type { TroupeJournal, TroupeState } from './journal.js'

export interface TroupeOptions {
  /**
   * `inline`: all actors in this thread, their turns one after another. `threads`: each actor in its own thread, or where its
   * placement says. `virtual`: all actors in this thread, in virtual time: turns really compute, and end when their costs say.
   */
  readonly stage: 'inline' | 'threads' | 'virtual'
  readonly seed: number
  /** Placements by actor, over those that the actors were added with; stage `threads` alone has any. */
  readonly place?: Readonly<Record<string, Placement>> | undefined
  /** Costs, links and failures of the `virtual` stage. */
  readonly virtual?: Omit<VirtualOptions, 'seed' | 'resume'> | undefined
  /** The weights that the actors share. */
  readonly weights?: WeightStoreHandle | undefined
  /** Hears everything that happens. It is called on this thread; while it is slow, the actors wait for it. */
  readonly observe?: ((event: RunEvent) => void) | undefined
  /** Default: the machine's clock, which is also the only one that threads can have; the `virtual` stage has its own. */
  readonly clock?: Clock | undefined
  /** Takes snapshots, from which the run can be resumed; every actor then puts away what it does before anything leaves. */
  readonly journal?: TroupeJournal | undefined
  /** Goes on from a snapshot of a troupe of the same plan; `E_JOURNAL` from `start()` where it is of another. */
  readonly resume?: TroupeState | undefined
  /** Stops the troupe when aborted. */
  readonly signal?: AbortSignal | undefined
  /**
   * Every message, question, answer and put-away state goes through the codec of processes, wherever the actors live, so that
   * what would not travel is found by a test without processes. Default false.
   */
  readonly remote?: boolean | undefined
  /** Longest start of one actor; default 30 s. */
  readonly startDeadlineMs?: number | undefined
  /** Longest wait for a running turn to end, and for one actor to stop; default 30 s each. */
  readonly stopDeadlineMs?: number | undefined
  /** Longest wait for the answer to an `ask`; default 60 s. */
  readonly askDeadlineMs?: number | undefined
  /** Between two questions to the host of an actor that may be restarted, whether it is there; default 5 s. */
  readonly heartbeatMs?: number | undefined
  /** Such a host is ended when it has not answered for so long, and its actor fails with `E_HOST_HUNG`; default 60 s. */
  readonly hangAfterMs?: number | undefined
}

export interface Troupe {
  /** Adds an actor, `replicas` times (default once); `E_CONFIG` names the role and the key of a bad value. */
  actor<I extends Ports, O extends Ports, S extends z.ZodType, A extends Api>(
    definition: ActorDefinition<I, O, S, A>,
    options: ActorOptions & { readonly config: z.input<S> },
  ): ActorRef<I, O, A>
  /**
   * Adds a supervisor: a strategy for the actors and supervisors that are added `under` it, which start one after another
   * (those directly under the troupe start all at once). When a child fails more often than its
   * budget allows, its supervisor fails, and is restarted with all below it, or its own supervisor fails; at the top, the run.
   */
  supervisor(options: SupervisorOptions): void
  /**
   * Joins an output with an input. Every connection of an output gets all its messages; among the replicas of one
   * receiver each message goes to the least busy. `credits` (default 4) bounds the messages in flight between one
   * sender replica and one receiver replica; `overflow` says what becomes of a message that finds none. What is dropped is
   * told as a record `dead-letters`.
   */
  connect<T>(from: OutputRef<T>, to: InputRef<T>, options?: ConnectOptions): void
  /** Starts all actors, then wires all channels. After a failure everything that was started has been stopped. */
  start(): Promise<void>
  /** Stops between turns, the last actor first; leaves no thread or handle behind. May be called again. */
  stop(): Promise<void>
  /**
   * Resolves when all output streams have completed (an actor without outputs: when its inputs have ended and it is
   * idle); the actors can still be asked until `stop()`. Rejects with `E_ACTOR_FAILED` of the first actor that failed,
   * its error as `cause`, or with `E_STOPPED` when the troupe was stopped before.
   */
  readonly done: Promise<void>
  /** The clock that the actors have. */
  readonly clock: Clock
}

const DEFAULTS = {
  startDeadlineMs: 30_000,
  stopDeadlineMs: 30_000,
  askDeadlineMs: 60_000,
  heartbeatMs: 5_000,
  hangAfterMs: 60_000,
}

/** A troupe of actors: add them, connect them, start, await `done`, stop. */
export function createTroupe(options: TroupeOptions): Troupe {
  return new BuiltTroupe(options)
}

class BuiltTroupe implements Troupe {
  readonly done: Promise<void>
  readonly clock: Clock
  /** Of the stage `virtual`. */
  readonly #time: VirtualTime | undefined
  #virtual: VirtualStage | undefined
  readonly #options: TroupeOptions
  readonly #plan = new Plan()
  #run: Run<never> | undefined
  #started = false
  #snapshots: Snapshots | undefined
  #stopping: Promise<void> | undefined
  #resolve: () => void = () => {}
  #reject: (error: TroupeError) => void = () => {}
  readonly #onAbort = () => {
    this.#reject(stopped('the run was stopped', this.#options.signal?.reason))
    void this.stop().catch(() => {})
  }

  constructor(options: TroupeOptions) {
    if (options.stage === 'threads' && options.clock && options.clock !== realClock) {
      throw new TroupeError('E_CONFIG', 'threads can only have the machine’s clock', { where: 'clock' })
    }
    if (options.stage !== 'threads' && options.stage !== 'inline' && options.stage !== 'virtual') {
      throw new TroupeError('E_CONFIG', `there is no stage "${String(options.stage)}"`, { where: 'stage' })
    }
    this.#options = options
    const startAt = options.resume?.virtual?.now ?? 0
    this.#time = options.stage === 'virtual' ? (options.virtual?.time ?? createVirtualTime({ startAt })) : undefined
    this.clock = this.#time?.clock ?? options.clock ?? realClock
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.done.catch(() => {}) // who only awaits stop() must not be hit by it
  }

  actor<I extends Ports, O extends Ports, S extends z.ZodType, A extends Api>(
    definition: ActorDefinition<I, O, S, A>,
    options: ActorOptions & { readonly config: z.input<S> },
  ): ActorRef<I, O, A> {
    this.#mustBeNew('actor()')
    const { name, replicas } = this.#plan.addActor(definition as unknown as ActorDefinition, options)
    const ref = (kind: 'input' | 'output', ports: Ports) =>
      Object.fromEntries(Object.keys(ports).map((port) => [port, { kind, actor: name, port }]))
    return {
      name,
      replicas,
      inputs: ref('input', definition.inputs) as ActorRef<I, O, A>['inputs'],
      outputs: ref('output', definition.outputs) as ActorRef<I, O, A>['outputs'],
      ask: askProxy((method, args) => this.#ask(this.#replicas(name)[0], name, method, args)),
      askAll: askProxy(async (method, args) =>
        Promise.all(this.#replicas(name).map((member) => this.#ask(member, name, method, args))),
      ),
    }
  }

  supervisor(options: SupervisorOptions): void {
    this.#mustBeNew('supervisor()')
    this.#plan.addSupervisor(options)
  }

  connect<T>(from: OutputRef<T>, to: InputRef<T>, options: ConnectOptions = {}): void {
    this.#mustBeNew('connect()')
    this.#plan.connect(from, to as InputRef<never>, options)
  }

  async start(): Promise<void> {
    this.#mustBeNew('start()')
    const { signal } = this.#options
    if (signal?.aborted) this.#onAbort()
    if (this.#stopping) throw stopped('the troupe was stopped before it started', signal?.reason)
    this.#plan.checkConnected()
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    const time = this.#time
    const release = time?.hold()
    this.#started = true
    try {
      if (time) await this.#checkTimeKeys()
      const stage = await this.#stage()
      if (this.#stopping) throw stopped('the troupe was stopped before it started', signal?.reason)
      this.#publish()
      const run = await this.#createRun(stage)
      this.#run = run
      time?.onStalled(() => this.#stalled(run))
      await run.start()
      this.#snapshots?.begin()
    } finally {
      release?.()
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#snapshots?.end()
    try {
      await this.#run?.stop()
    } finally {
      await this.#snapshots?.last()
      this.#options.signal?.removeEventListener('abort', this.#onAbort)
      this.#reject(stopped('the run was stopped before it finished'))
    }
  }

  async #createRun(stage: Stage<never>): Promise<Run<never>> {
    const [{ Run }, { Snapshots }] = await Promise.all([import('./run.js'), import('./journal.js')])
    const { seed, weights, observe = () => {}, journal, resume } = this.#options
    const run = new Run<never>(this.#plan, stage, {
      ...deadlinesOf(this.#options),
      seed,
      weights,
      observe: (event) => {
        observe(event)
        if (event.type === 'span') this.#snapshots?.turn()
      },
      clock: this.clock,
      remote: this.#options.remote ?? false,
      journaled: journal !== undefined,
      resume,
      onCompleted: () => this.#resolve(),
      onFailed: (error: TroupeError) => this.#reject(error),
    })
    if (journal) this.#snapshots = new Snapshots(run, journal, this.#virtual)
    return run
  }

  /** What had been published is there before anybody looks for it. */
  #publish(): void {
    const { weights, resume } = this.#options
    if (!weights || !resume?.weights) return
    const store = openWeightStore(weights)
    if (store.version() < resume.weights.version) store.publish(resume.weights.version, resume.weights.flat)
  }

  /** What runs a troupe is loaded only here: every thread and process loads this file too, with the roles. */
  async #stage(): Promise<Stage<never>> {
    const { stage, seed, resume, virtual } = this.#options
    if (this.#time) {
      const { virtualStage } = await import('../placement/virtual.js')
      this.#virtual = virtualStage({ ...virtual, seed, resume: resume?.virtual, time: this.#time })
      return this.#virtual as Stage<unknown> as Stage<never>
    }
    if (stage === 'inline') {
      const { inlineStage } = await import('../placement/inline.js')
      return inlineStage(this.clock) as Stage<unknown> as Stage<never>
    }
    const placements = this.#placements()
    const { mixedStage } = await import('../placement/mixed.js')
    return mixedStage(this.clock, placements) as Stage<unknown> as Stage<never>
  }

  /** A typing error in a study's costs or links would go unnoticed. */
  async #checkTimeKeys(): Promise<void> {
    const { checkTimeKeys } = await import('../time/cost.js')
    const actors = this.#plan.actors.flatMap((actor) =>
      memberNames(actor).map((name) => ({ actor: name, role: actor.definition.role })),
    )
    checkTimeKeys(this.#options.virtual ?? {}, actors)
  }

  /** Where each replica lives; `E_CONFIG` for an actor or a placement that there is not. */
  #placements(): ReadonlyMap<string, Placement> {
    const { place = {} } = this.#options
    for (const [name, placement] of Object.entries(place)) {
      if (!this.#plan.actors.some((actor) => actor.name === name))
        throw new TroupeError('E_CONFIG', `place.${name}: no actor of this troupe is named "${name}"`, {
          where: `place.${name}`,
          hint: `There are: ${this.#plan.actors.map((actor) => actor.name).join(', ')}`,
        })
      if (!PLACEMENTS.includes(placement))
        throw new TroupeError('E_CONFIG', `place.${name} must be one of ${PLACEMENTS.join(', ')}, not "${placement}"`, {
          where: `place.${name}`,
        })
    }
    return new Map(
      this.#plan.actors.flatMap((actor) =>
        memberNames(actor).map((member) => [member, place[actor.name] ?? actor.placement ?? 'thread'] as const),
      ),
    )
  }

  /** Virtual time has nothing left to do: fine where the troupe has finished. */
  #stalled(run: Run<never>): void {
    const waiting = run.members.filter(({ completed }) => !completed).map(({ name }) => name)
    if (waiting.length === 0 || run.stopping) return
    this.#reject(
      new TroupeError('E_STALLED', `nothing is left to happen, and not finished are ${waiting.join(', ')}`, {
        where: waiting[0],
        hint: 'Some actor waits for a message or a version that nobody will send: is every output connected and completed?',
      }),
    )
    void this.stop().catch(() => {})
  }

  #replicas(actor: string): readonly (Member<never> | undefined)[] {
    return this.#run?.replicas(actor) ?? [undefined]
  }

  async #ask(member: Member<never> | undefined, name: string, method: string, args: readonly unknown[]) {
    if (!member) throw new TroupeError('E_ACTOR_DOWN', `${name} has not started`, { where: name })
    return member.ask(method, args, deadlinesOf(this.#options).askDeadlineMs)
  }

  #mustBeNew(what: string): void {
    if (this.#started) throw new TroupeError('E_CONFIG', `${what} comes before the troupe has started`)
  }
}

/** The deadlines that are given, over the default ones. */
function deadlinesOf(options: TroupeOptions): typeof DEFAULTS {
  const keys = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]
  return Object.fromEntries(keys.map((key) => [key, options[key] ?? DEFAULTS[key]])) as typeof DEFAULTS
}

function stopped(message: string, cause?: unknown): TroupeError {
  return new TroupeError('E_STOPPED', message, cause === undefined ? {} : { cause })
}
