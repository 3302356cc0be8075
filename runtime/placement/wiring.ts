import type { Observable, Subscription } from 'rxjs'
import { InputPort, type InputPortState, OutputPort, type OutputPortState, type Wire } from '../channel/index.js'
import type { ActorDefinition, Api, Ports, RunningActor } from '../kernel/actor.js'
import { TroupeError } from '../kernel/errors.js'
import type { Clock } from '../time/clock.js'
import type { Scheduler } from '../time/scheduler.js'
import type { Rewiring, WiringPlan } from './control.js'
import type { CellSpec } from './stage.js'

interface WiringEvents {
  /** Items, credit or subscribers came. */
  changed(): void
  /** Credit came for what had waited for it. */
  credit(): void
  /** An input or an output has ended. */
  ended(): void
  /** The actor is at fault: its output failed, or what it emitted cannot be sent. */
  failed(error: unknown): void
  malformed(port: string): void
  /** The actor is being given a message. */
  taking(channel: number, seq: number): void
  /** The actor has emitted something. */
  emitted(): void
  /** A message is lost for want of credit, where the connection says so. */
  dropped(port: string, message: unknown): void
  /** A message is not given to the actor any more; undefined where moved buffers are lost. */
  aside(port: string, message: unknown): void
}

export interface WiringOptions {
  readonly spec: CellSpec
  readonly definition: ActorDefinition
  readonly plan: WiringPlan<Wire>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly events: WiringEvents
}

/** The ports of one actor and the subscriptions that drive its outputs. */
export class Wiring {
  readonly inputs: readonly InputPort[]
  readonly outputs: readonly OutputPort[]
  readonly #options: WiringOptions
  readonly #subscriptions = new Map<OutputPort, Subscription>()
  readonly #running = new Set<OutputPort>()
  /** Errors that came in from senders: the actor that passes one on is not at fault. */
  readonly #inbound = new WeakSet<object>()

  constructor(options: WiringOptions) {
    this.#options = options
    const { inputs, outputs } = options.definition
    this.inputs = Object.keys(inputs).map((port) => this.#input(port))
    this.outputs = Object.entries(outputs).map(([port, declared]) => this.#output(port, declared))
  }

  /** Whether one more message of every output would find credit. */
  get ready(): boolean {
    for (const output of this.outputs) if (!output.ready) return false
    return true
  }

  /** All outputs have completed; of an actor without outputs, all inputs have ended. */
  get finished(): boolean {
    return this.outputs.length > 0 ? this.#running.size === 0 : this.inputs.every((input) => input.ended)
  }

  /** When the message came that is being delivered right now. */
  get arriving(): number | undefined {
    for (const input of this.inputs) if (input.arriving !== undefined) return input.arriving
    return undefined
  }

  isInbound(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#inbound.has(error)
  }

  /** Calls the actor's `streams`, subscribes to what it returns, then grants the senders their first credit. */
  open(actor: RunningActor<Ports, Ports, Api>): void {
    const streams = Object.fromEntries(this.inputs.map((input) => [input.name, input.stream]))
    const made: Readonly<Record<string, Observable<unknown> | undefined>> = actor.streams?.(streams) ?? {}
    for (const output of this.outputs) if (!output.ended) this.#running.add(output)
    for (const output of this.outputs) {
      const stream = made[output.name]
      if (output.ended) continue
      if (stream) this.#drive(output, stream)
      else if (!actor.streams) this.#end(output)
      else
        throw new TroupeError('E_CONFIG', `streams() returned no output "${output.name}"`, {
          where: this.#options.spec.name,
        })
    }
    for (const input of this.inputs) {
      input.open()
      if (!actor.streams) input.cancel()
    }
  }

  rewire({ channel, end }: Rewiring<Wire>): void {
    for (const port of [...this.outputs, ...this.inputs]) port.attach(channel, end)
  }

  /** Emits what the actor gives in place of a message that it is not given. */
  emitInstead(messages: Readonly<Record<string, unknown>>): void {
    for (const output of this.outputs)
      if (Object.hasOwn(messages, output.name)) this.#emit(output, messages[output.name])
  }

  /** Everything taken is done with, and what was emitted has its number and its receiver. */
  settle(): void {
    for (const input of this.inputs) input.done()
    for (const output of this.outputs) output.assign()
  }

  putAway(): { inputs: Record<string, InputPortState>; outputs: Record<string, OutputPortState> } {
    return {
      inputs: Object.fromEntries(this.inputs.map((input) => [input.name, input.state])),
      outputs: Object.fromEntries(this.outputs.map((output) => [output.name, output.putAway()])),
    }
  }

  /** Lets everything settled go: outputs, then acknowledgements. */
  release(now = false): void {
    for (const output of this.outputs) output.release()
    for (const input of this.inputs) input.tell(now || this.#options.spec.outlived)
  }

  fail(error: unknown): void {
    for (const output of this.outputs) output.fail(error)
  }

  close(): void {
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe()
    for (const port of [...this.inputs, ...this.outputs]) port.close()
  }

  #drive(output: OutputPort, stream: Observable<unknown>): void {
    const subscription = stream.subscribe({
      next: (message) => this.#emit(output, message),
      error: (error) => {
        const own = !this.isInbound(error)
        if (own) this.#options.events.failed(error)
        // One that may be restarted goes on where it was, and of one that is given up the troupe tells its receivers.
        if (own && (this.#options.spec.commits || this.#options.spec.outlived)) return
        output.fail(error)
        this.#ended(output)
      },
      complete: () => this.#end(output),
    })
    this.#subscriptions.set(output, subscription)
  }

  #emit(output: OutputPort, message: unknown): void {
    try {
      output.emit(message)
      this.#options.events.emitted()
    } catch (error) {
      this.#options.events.failed(error)
    }
  }

  #end(output: OutputPort): void {
    output.complete()
    this.#ended(output)
  }

  #ended(output: OutputPort): void {
    this.#running.delete(output)
    this.#options.events.ended()
  }

  #input(port: string): InputPort {
    const { spec, plan, clock, scheduler, events } = this.#options
    const channels = plan.inputs.filter((input) => input.port === port)
    return new InputPort(port, {
      channels: channels.map(({ end, window, channel }) => ({ wire: end, window, channel })),
      where: `${spec.name}, input "${port}"`,
      clock,
      scheduler,
      state: spec.resume?.inputs[port],
      aside: spec.aside,
      events: {
        changed: () => events.changed(),
        ended: () => events.ended(),
        inbound: (error) => void this.#inbound.add(error),
        malformed: () => events.malformed(`input "${port}"`),
        violated: (error) => events.failed(error),
        taking: (channel, seq) => events.taking(channel, seq),
        aside: (message) => events.aside(port, message),
      },
    })
  }

  #output(port: string, declared: Ports[string]): OutputPort {
    const { spec, plan, clock, events } = this.#options
    const state = spec.resume?.outputs[port]
    const output: OutputPort = new OutputPort(port, {
      port: declared,
      where: `${spec.name}, output "${port}"`,
      clock,
      held: spec.commits,
      events: {
        credit: () => (output.pending > 0 ? events.credit() : events.changed()),
        cancelled: () => {
          this.#subscriptions.get(output)?.unsubscribe()
          this.#ended(output)
        },
        malformed: () => events.malformed(`output "${port}"`),
        dropped: (message) => events.dropped(port, message),
        failed: (error) => events.failed(error),
      },
    })
    const connections = plan.outputs.filter((connection) => connection.port === port)
    connections.forEach(({ ends, overflow, window }, i) => {
      const channels = ends.map(({ end, ...channel }) => ({ ...channel, wire: end }))
      output.connect(channels, { overflow, window }, state?.connections[i])
    })
    output.ended = state?.ended ?? false
    return output
  }
}
