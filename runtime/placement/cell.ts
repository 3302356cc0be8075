import { checkCrossing } from '../channel/crossing.js'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition, Api, Ports, RunningActor } from '../kernel/actor.js'
import { TroupeError, toWire } from '../kernel/errors.js'
import { Gate } from '../kernel/gate.js'
import type { FifoLock } from '../kernel/lock.js'
import { createTurn, type Span } from '../kernel/turn.js'
import type { RunEvent } from '../observe/events.js'
import type { Reporter } from '../observe/reporter.js'
import { openWeightStore } from '../tensor/weight-store.js'
import type { Clock } from '../time/clock.js'
import { createContext } from './context.js'
import { type Control, type Reply, reply, type WiringPlan } from './control.js'
import type { CellSpec } from './stage.js'
import { Wiring } from './wiring.js'

/** What the place provides that an actor lives in. `H` is an end of a wire as it arrives there. */
export interface CellPlace<H> {
  readonly clock: Clock
  readonly lock: FifoLock
  readonly reporter: Reporter
  readonly definition: () => Promise<ActorDefinition>
  readonly toWire: (end: H) => Wire
  /** Runs what may run the actor's own code, so that a stray error can be told whose it is. */
  readonly within: <T>(work: () => T) => T
}

/** One actor, in any placement: its life from start to dispose, its gate, its ports. */
export class Cell<H> implements Control<H> {
  readonly #spec: CellSpec
  readonly #place: CellPlace<H>
  readonly #gate: Gate
  readonly #abort = new AbortController()
  #definition: ActorDefinition | undefined
  #actor: RunningActor<Ports, Ports, Api> | undefined
  #starting: Promise<unknown> = Promise.resolve()
  #wiring: Wiring | undefined
  #halted = false
  #failed = false
  #completed = false
  #turns = 0
  #turnEnded: (() => void) | undefined
  #malformed = 0

  constructor(spec: CellSpec, place: CellPlace<H>) {
    this.#spec = spec
    this.#place = place
    this.#gate = new Gate({
      mayTake: () => (this.#wiring?.ready ?? false) && !place.reporter.behind,
      onIdle: () => this.#checkCompleted(),
      within: place.within,
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

  ask(method: string, args: readonly unknown[]): Promise<Reply<unknown>> {
    return reply(async () => {
      const where = this.#spec.name
      const api = this.#actor?.api ?? {}
      const call = Object.hasOwn(api, method) ? api[method] : undefined
      if (!call) {
        const hint = `It has: ${Object.keys(api).join(', ') || 'none'}`
        throw new TroupeError('E_CONFIG', `${where} has no method "${method}"`, { where, hint })
      }
      const answer = await this.#place.within(() => call(...args))
      checkCrossing(answer, `${where}, answer of "${method}"`)
      return answer
    })
  }

  halt(): Promise<Reply<void>> {
    return reply(async () => {
      this.#shut()
      await this.#starting
      if (this.#turns > 0) {
        await new Promise<void>((resolve) => {
          this.#turnEnded = resolve
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
        if (!failed) this.#state('stopped')
      } catch (error) {
        if (!failed) this.#state('failed', error)
        throw error
      } finally {
        await this.#place.reporter.drain()
      }
    })
  }

  ping(): Promise<Reply<void>> {
    return reply(() => {})
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
    if (this.#failed) return
    if (this.#halted) {
      // Whoever waited on the actor's signal was told to stop: that is how it should be.
      if (error instanceof TroupeError && error.code === 'E_STOPPED') return
      this.#log(`raised while it was stopping: ${toWire(error).message}`)
      return
    }
    this.#failed = true
    this.#shut()
    this.#state('failed', error)
    this.#wiring?.fail(error)
    this.#place.reporter.failed(toWire(error))
  }

  async #start(): Promise<void> {
    const { clock, lock, reporter } = this.#place
    try {
      this.#definition = await this.#place.definition()
      const turn = createTurn({
        role: this.#spec.role,
        clock,
        gate: this.#gate,
        lock,
        halted: () => this.#halted,
        onBegin: () => this.#turns++,
        onSpan: (span) => this.#afterTurn(span),
        fail: (error) => this.fail(error),
      })
      const emit = (event: RunEvent) => reporter.emit(event)
      const weights = this.#spec.weights && openWeightStore(this.#spec.weights)
      const context = createContext({ spec: this.#spec, clock, turn, signal: this.#abort.signal, weights, emit })
      this.#actor = await this.#definition.start(context)
    } catch (error) {
      this.#failed = true
      this.#state('failed', error)
      throw error
    }
    this.#state('ready')
  }

  #wire(plan: WiringPlan<H>): void {
    const { name } = this.#spec
    if (!this.#definition || !this.#actor) throw new TroupeError('E_ACTOR_DOWN', 'the actor has not started')
    const { toWire: wireOf } = this.#place
    const wires: WiringPlan<Wire> = {
      inputs: plan.inputs.map((input) => ({ ...input, end: wireOf(input.end) })),
      outputs: plan.outputs.map((output) => ({ ...output, ends: output.ends.map(wireOf) })),
    }
    this.#wiring = new Wiring(name, this.#definition, wires, {
      changed: () => this.#gate.poll(),
      ended: () => this.#gate.settle(),
      failed: (error) => this.fail(error),
      malformed: (port) => this.#log(`dropped a malformed frame at ${port} (${++this.#malformed} so far)`),
    })
    for (const input of this.#wiring.inputs) this.#gate.add(input)
    this.#wiring.open(this.#actor, name)
    if (!this.#halted) this.#gate.open()
  }

  #checkCompleted(): void {
    if (this.#completed || this.#halted || !this.#wiring?.finished) return
    this.#completed = true
    this.#place.reporter.completed()
  }

  #afterTurn(span: Span): void {
    const { reporter } = this.#place
    const actor = this.#identity()
    reporter.emit({ type: 'span', actor, ...span })
    for (const { name, depth, window, ended } of this.#wiring?.inputs ?? []) {
      if (!ended) reporter.emit({ type: 'queue', actor, at: span.end, input: name, depth, window })
    }
    reporter.afterTurn()
    this.#turns--
    if (this.#turns === 0) this.#turnEnded?.()
  }

  #shut(): void {
    if (this.#halted) return
    this.#halted = true
    this.#gate.shut()
    this.#abort.abort(new TroupeError('E_STOPPED', 'the troupe stops', { where: this.#spec.name }))
  }

  #identity() {
    const { name, role, replica } = this.#spec
    return { name, role, replica }
  }

  #state(state: 'ready' | 'stopped' | 'failed', error?: unknown): void {
    const at = this.#place.clock.now()
    const report = error === undefined ? {} : { error: toWire(error) }
    this.#place.reporter.emit({ type: 'state', actor: this.#identity(), at, state, ...report })
  }

  #log(message: string): void {
    this.#place.reporter.emit({
      type: 'log',
      actor: this.#identity(),
      at: this.#place.clock.now(),
      level: 'warn',
      message,
    })
  }
}
