import type { Observable, Subscription } from 'rxjs'
import { InputPort } from '../channel/input-port.js'
import { OutputPort } from '../channel/output-port.js'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition, Api, Ports, RunningActor } from '../kernel/actor.js'
import { TroupeError } from '../kernel/errors.js'
import type { WiringPlan } from './control.js'

export interface WiringEvents {
  /** Items, credit or subscribers came. */
  changed(): void
  /** An input or an output has ended. */
  ended(): void
  /** The actor is at fault: its output failed, or what it emitted cannot be sent. */
  failed(error: unknown): void
  malformed(port: string): void
}

/** The ports of one actor and the subscriptions that drive its outputs. */
export class Wiring {
  readonly inputs: readonly InputPort[]
  readonly outputs: readonly OutputPort[]
  readonly #events: WiringEvents
  readonly #subscriptions = new Map<OutputPort, Subscription>()
  readonly #running = new Set<OutputPort>()
  /** Errors that came in from senders: the actor that passes one on is not at fault. */
  readonly #inbound = new WeakSet<object>()

  constructor(name: string, definition: ActorDefinition, plan: WiringPlan<Wire>, events: WiringEvents) {
    this.#events = events
    this.inputs = Object.keys(definition.inputs).map((port) => {
      const channels = plan.inputs.filter((input) => input.port === port)
      return new InputPort(port, {
        channels: channels.map(({ end, window }) => ({ wire: end, window })),
        where: `${name}, input "${port}"`,
        events: {
          changed: () => events.changed(),
          ended: () => events.ended(),
          inbound: (error) => void this.#inbound.add(error),
          malformed: () => events.malformed(`input "${port}"`),
          violated: (error) => events.failed(error),
        },
      })
    })
    this.outputs = Object.entries(definition.outputs).map(([port, declared]) =>
      this.#output(name, port, declared, plan),
    )
  }

  /** Whether one more message of every output could leave at once. */
  get ready(): boolean {
    return this.outputs.every((output) => output.ready)
  }

  /** All outputs have completed; of an actor without outputs, all inputs have ended. */
  get finished(): boolean {
    return this.outputs.length > 0 ? this.#running.size === 0 : this.inputs.every((input) => input.ended)
  }

  isInbound(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#inbound.has(error)
  }

  /** Calls the actor's `streams`, subscribes to what it returns, then grants the senders their first credit. */
  open(actor: RunningActor<Ports, Ports, Api>, name: string): void {
    const streams = Object.fromEntries(this.inputs.map((input) => [input.name, input.stream]))
    const made: Readonly<Record<string, Observable<unknown> | undefined>> = actor.streams?.(streams) ?? {}
    for (const output of this.outputs) this.#running.add(output)
    for (const output of this.outputs) {
      const stream = made[output.name]
      if (stream) this.#drive(output, stream)
      else if (!actor.streams) this.#end(output)
      else throw new TroupeError('E_CONFIG', `streams() returned no output "${output.name}"`, { where: name })
    }
    for (const input of this.inputs) {
      input.open()
      if (!actor.streams) input.cancel()
    }
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
      next: (message) => {
        try {
          output.emit(message)
        } catch (error) {
          this.#events.failed(error)
        }
      },
      error: (error) => {
        if (!this.isInbound(error)) this.#events.failed(error)
        output.fail(error)
        this.#ended(output)
      },
      complete: () => this.#end(output),
    })
    this.#subscriptions.set(output, subscription)
  }

  #end(output: OutputPort): void {
    output.complete()
    this.#ended(output)
  }

  #ended(output: OutputPort): void {
    this.#running.delete(output)
    this.#events.ended()
  }

  #output(name: string, port: string, declared: Ports[string], plan: WiringPlan<Wire>): OutputPort {
    const output = new OutputPort(port, {
      port: declared,
      where: `${name}, output "${port}"`,
      events: {
        credit: () => this.#events.changed(),
        cancelled: () => {
          this.#subscriptions.get(output)?.unsubscribe()
          this.#ended(output)
        },
        malformed: () => this.#events.malformed(`output "${port}"`),
        failed: (error) => this.#events.failed(error),
      },
    })
    for (const connection of plan.outputs) if (connection.port === port) output.connect(connection.ends)
    return output
  }
}
