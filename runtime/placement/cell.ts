import { checkCrossing, cloneRefusal } from '../channel/crossing.js'
import { encodedWire, throughCodec } from '../channel/encoded-wire.js'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition, Api, Ports, RunningActor } from '../kernel/actor.js'
import type { TurnBegun } from '../kernel/busy-period.js'
import { TroupeError, toWire } from '../kernel/errors.js'
import { Gate } from '../kernel/gate.js'
import { createTurn } from '../kernel/turn.js'
import type { RunEvent } from '../observe/events.js'
import { openWeightStore } from '../tensor/weight-store.js'
import { answerOf } from './asking.js'
import { CellReports } from './cell-reports.js'
import { createContext } from './context.js'
import { type Control, type Reply, type Rewiring, reply, type WiringPlan } from './control.js'
import { Effects } from './effects.js'
import type { CellPlace } from './place.js'
import { snapshotInTime } from './snapshotting.js'
import type { CellSpec } from './stage.js'
import { Wiring } from './wiring.js'

/** One actor, in any placement: its life from start to dispose, its gate, its ports, what it puts away. */
export class Cell<H> implements Control<H> {
  readonly #spec: CellSpec
  readonly #place: CellPlace<H>
  readonly #gate: Gate
  readonly #effects: Effects
  readonly #abort = new AbortController()
  readonly #reports: CellReports
  #definition: ActorDefinition | undefined
  #actor: RunningActor<Ports, Ports, Api> | undefined
  #starting: Promise<unknown> = Promise.resolve()
  #wiring: Wiring | undefined
  #halted = false
  #killed = false
  #paused = false
  #failed = false
  #completed = false
  /** Turns under way, and those that wait to be ready. */
  #turns = 0
  #unready = 0
  /** Turns done, over all lives. */
  #done: number
  #changed = true
  /** Of those who halt it: a restart and the stop of the troupe may come together. */
  #untilTurnEnds: (() => void)[] = []
  #quiet: (() => void) | undefined
  /** When the first turn since everything had settled began, and the last one ended. */
  #burstFrom = 0
  #burstTo = 0

  constructor(spec: CellSpec, place: CellPlace<H>) {
    this.#spec = spec
    this.#place = place
    this.#reports = new CellReports(spec, place.clock, place.reporter)
    this.#done = spec.resume?.turns ?? 0
    this.#gate = new Gate({
      scheduler: place.scheduler,
      mayTake: () => (this.#wiring?.ready ?? false) && !place.reporter.behind,
      onIdle: () => this.#idle(),
      within: place.within,
      goOn: (turns) => this.#mayGoOn(turns),
    })
    this.#effects = new Effects({
      held: spec.commits,
      working: () => place.perform !== undefined && this.#turns > 0,
      emit: (event) => this.#reports.emit(event),
    })
  }

  start(): Promise<Reply<void>> {
    const starting = reply(() => this.#place.within(() => this.#start()))
    this.#starting = starting
    return starting
  }

  wire(plan: WiringPlan<H>): Promise<Reply<void>> {
    return reply(() => this.#place.within(() => this.#wire(plan)))
  }

  rewire({ channel, end }: Rewiring<H>): Promise<Reply<void>> {
    return reply(() => this.#wiring?.rewire({ channel, end: end && this.#wireOf(end) }))
  }

  ask(method: string, args: readonly unknown[]): Promise<Reply<unknown>> {
    return reply(() => this.#place.within(() => answerOf(this.#spec, this.#actor?.api ?? {}, method, args)))
  }

  ping(): Promise<Reply<void>> {
    return reply(() => {})
  }

  halt(): Promise<Reply<void>> {
    return reply(async () => {
      this.#shut()
      await this.#starting
      if (this.#turns > 0) {
        await new Promise<void>((resolve) => {
          this.#untilTurnEnds.push(resolve)
        })
      }
    })
  }

  dispose(): Promise<Reply<void>> {
    return reply(async () => {
      this.#shut()
      const failed = this.#failed
      try {
        this.#wiring?.close()
        await this.#place.within(() => this.#actor?.stop?.())
        if (!failed) this.#reports.state('stopped')
      } catch (error) {
        if (!failed) this.#reports.state('failed', error)
        throw error
      } finally {
        await this.#place.reporter.drain()
      }
    })
  }

  /** Ends the actor at once, as the death of its place would: nothing more of it is heard. */
  kill(): void {
    this.#killed = true
    this.#reports.silence()
    this.#shut()
    this.#wiring?.close()
  }

  /**
   * Lets nothing begin any more; resolves when nothing works, and what is done and what waits is put away. This life does
   * not go on: the next one begins with what was put away.
   */
  async pause(): Promise<void> {
    this.#paused = true
    this.#gate.shut()
    if (this.#gate.idle) this.#changed = true // what has come since waits in its order
    while (!this.quiet)
      await new Promise<void>((resolve) => {
        this.#quiet = resolve
        this.#gate.settle()
      })
  }

  /** Whether nothing works here, or is about to, except for what waits to be ready: that is taken anew in the next life. */
  get quiet(): boolean {
    if (this.#halted) return true
    return this.#turns === 0 && this.#gate.busy === this.#unready && (this.#unready > 0 || !this.#changed)
  }

  /** The gate's look at the world: something may have changed. */
  poll(): void {
    this.#gate.poll()
  }

  /** An error that no stream, turn or call of the actor has caught. */
  stray(error: unknown): void {
    if (!this.#wiring?.isInbound(error)) this.fail(error)
  }

  /** The actor is at fault and works no more; only the first fault counts. */
  fail(error: unknown): void {
    if (this.#failed || this.#killed) return
    if (this.#halted) {
      // Whoever waited on the actor's signal was told to stop: that is how it should be.
      if (error instanceof TroupeError && error.code === 'E_STOPPED') return
      this.#reports.log(`raised while it was stopping: ${toWire(error).message}`)
      return
    }
    this.#failed = true
    this.#shut()
    this.#reports.state('failed', error)
    // The others hear nothing of one that goes on where it was, or is given up: an error would end their streams, and a
    // cancelled input would lose what its siblings are to be given.
    if (this.#spec.outlived && !this.#spec.commits) this.#wiring?.release(true)
    if (this.#spec.commits || this.#spec.outlived) this.#wiring?.close()
    else this.#wiring?.fail(error)
    this.#place.reporter.failed(toWire(error))
  }

  async #start(): Promise<void> {
    const { clock, lock, perform, openWeights = openWeightStore } = this.#place
    const { resume, weights } = this.#spec
    try {
      this.#definition = await this.#place.definition()
      const turn = createTurn({
        role: this.#spec.role,
        clock,
        gate: this.#gate,
        lock,
        halted: () => this.#halted,
        arrivedAt: () => this.#wiring?.arriving,
        beforeOwn: () => this.#beforeOwn(),
        onWaiting: (change) => this.#waiting(change),
        onBegin: () => this.#turns++,
        perform: perform && ((begun, work, item, outcome) => perform(begun, this.#done, work, item, outcome)),
        onEnd: (begun, start, end) => this.#afterTurn(begun, start, end),
        fail: (error) => this.fail(error),
      })
      const emit = (event: RunEvent) => this.#effects.emit(event)
      const store = weights && this.#effects.over(openWeights(weights))
      const context = createContext({ spec: this.#spec, clock, turn, signal: this.#abort.signal, weights: store, emit })
      this.#actor = await this.#definition.start(context)
      if (resume?.role !== undefined) await this.#actor.restore?.(resume.role)
    } catch (error) {
      throw this.#refused(error)
    }
    this.#reports.state('ready')
  }

  /** It cannot begin: whoever asked it to is told, and so is the log. */
  #refused(error: unknown): unknown {
    this.#failed = true
    this.#shut()
    this.#wiring?.close()
    this.#reports.state('failed', error)
    return error
  }

  #wireOf(end: H): Wire {
    const wire = this.#place.toWire(end)
    return this.#spec.remote ? encodedWire(wire) : wire
  }

  #wire(plan: WiringPlan<H>): void {
    if (!this.#definition || !this.#actor) throw new TroupeError('E_ACTOR_DOWN', 'the actor has not started')
    const { clock, scheduler } = this.#place
    const wireOfAny = <E extends { readonly end: H | undefined }>(each: E) => ({
      ...each,
      end: each.end === undefined ? undefined : this.#wireOf(each.end),
    })
    this.#wiring = new Wiring({
      spec: this.#spec,
      definition: this.#definition,
      plan: {
        inputs: plan.inputs.map(wireOfAny),
        outputs: plan.outputs.map((output) => ({ ...output, ends: output.ends.map(wireOfAny) })),
      },
      clock,
      scheduler,
      events: {
        changed: () => this.#gate.poll(),
        credit: () => {
          this.#changed = true
          this.#gate.settle()
        },
        ended: () => {
          this.#changed = true
          this.#gate.settle()
        },
        failed: (error) => this.fail(error),
        malformed: (port) => this.#reports.malformed(port),
        taking: (channel, seq) => {
          this.#changed = true
          if (this.#spec.commits) this.#place.reporter.taking(channel, seq)
        },
        emitted: () => {
          this.#changed = true
          // It leaves before another turn is wanted, which may wait for what comes of it.
          if (this.#spec.commits && this.#gate.idle) this.#gate.leaveFirst()
        },
        aside: (port, message) => this.#setAside(port, message),
        dropped: (port, message) => this.#deadLetter(port, 'overflow', message),
      },
    })
    for (const input of this.#wiring.inputs) this.#gate.add(input)
    try {
      this.#wiring.open(this.#actor)
    } catch (error) {
      throw this.#refused(error)
    }
    if (!this.#halted) this.#gate.open()
  }

  /** Everything has settled: what was done is put away, and leaves. */
  #idle(): Promise<void> | undefined {
    const putAway = this.#putAway()
    if (putAway) return putAway.then(() => this.#afterIdle())
    this.#afterIdle()
    return undefined
  }

  #afterIdle(): void {
    if (!this.#completed && !this.#halted && this.#wiring?.finished) {
      this.#completed = true
      this.#place.reporter.completed()
    }
    this.#tellQuiet()
  }

  /** While the actor is paused, a turn of its own loop does not begin. */
  #beforeOwn(): Promise<void> | undefined {
    const putAway = this.#gate.busy === 1 ? this.#putAway() : undefined
    if (!this.#paused) return putAway
    return Promise.resolve(putAway).then(() => {
      this.#waiting(1)
      return new Promise<never>(() => {})
    })
  }

  #putAway(): Promise<void> | undefined {
    const wiring = this.#wiring
    if (!this.#changed || this.#halted || !wiring) return undefined
    this.#changed = false
    wiring.settle()
    if (!this.#spec.commits) {
      wiring.release()
      return undefined
    }
    try {
      const role = this.#place.within(() => this.#actor?.snapshot?.())
      if (role instanceof Promise)
        return snapshotInTime(role, this.#spec.name, this.#place)
          .then((state) => this.#commit(wiring, state))
          .catch((error) => this.fail(error))
      return this.#commit(wiring, role)
    } catch (error) {
      this.fail(error)
      return undefined
    }
  }

  #commit(wiring: Wiring, role: unknown): Promise<void> | undefined {
    if (this.#killed) return undefined
    const leave = () => {
      if (this.#killed) return
      this.#effects.publish()
      wiring.release()
    }
    try {
      checkCrossing(role, `${this.#spec.name}, snapshot`)
      const state = this.#spec.remote ? throughCodec(role) : role
      const commit = { turns: this.#done, role: state, ...wiring.putAway(), events: this.#effects.take() }
      const confirmed = this.#place.reporter.commit(commit)
      if (confirmed) return confirmed.then(leave)
      leave()
    } catch (error) {
      this.fail(error instanceof TroupeError ? error : cloneRefusal(error, `${this.#spec.name}, snapshot`))
    }
    return undefined
  }

  #setAside(port: string, message: unknown): void {
    this.#changed = true
    const lost = message === undefined
    const what = lost ? 'moved buffers were lost with the actor that had them' : 'it has ended the actor too often'
    this.#reports.aside(port, what)
    if (!lost) this.#deadLetter(port, 'poison', message)
    const instead = lost ? undefined : this.#place.within(() => this.#actor?.setAside?.(port, message))
    if (instead) this.#wiring?.emitInstead(instead)
    // It leaves before another turn is wanted, which may wait for what comes of it.
    this.#gate.leaveFirst()
  }

  #deadLetter(port: string, reason: 'overflow' | 'poison', message: unknown): void {
    this.#changed = true
    this.#effects.emit(this.#reports.deadLetter(port, reason, message))
  }

  #waiting(change: 1 | -1): void {
    this.#unready += change
    this.#tellQuiet()
  }

  #tellQuiet(): void {
    if (!this.#quiet || !this.quiet) return
    this.#quiet()
    this.#quiet = undefined
  }

  /** Between two turns: what a turn did is put away before the next one begins, where it is put away at all. */
  #mayGoOn(turns: number): boolean {
    const { turns: most = 1, ms = Number.POSITIVE_INFINITY } = this.#place.burst ?? {}
    if (turns >= most || this.#spec.commits || this.#burstTo - this.#burstFrom >= ms) return false
    if (this.#spec.outlived) {
      this.#wiring?.settle()
      this.#wiring?.release()
    }
    return true
  }

  #afterTurn(begun: TurnBegun, start: number, end: number): void {
    if (this.#gate.turns === 0) this.#burstFrom = start
    this.#burstTo = end
    this.#turns--
    this.#done++
    this.#changed = true
    this.#effects.endTurn(end)
    this.#reports.turn(begun, start, end, this.#wiring?.inputs ?? [])
    if (this.#turns > 0 || this.#untilTurnEnds.length === 0) return
    for (const tell of this.#untilTurnEnds.splice(0)) tell()
  }

  #shut(): void {
    if (this.#halted) return
    this.#halted = true
    this.#gate.shut()
    this.#abort.abort(new TroupeError('E_STOPPED', 'the troupe stops', { where: this.#spec.name }))
    this.#tellQuiet()
  }
}
