import type { Overflow } from '../channel/index.js'
import { fromWire, toWire, type WireError } from '../kernel/errors.js'

/** An answer that keeps an error's class, code and cause on its way. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError }

/**
 * The channels of one actor, each by the end that it is given; none while the other side is being restarted. `H` is what a
 * stage uses for a wire's end.
 */
export interface WiringPlan<H> {
  readonly inputs: readonly {
    readonly port: string
    readonly channel: number
    readonly window: number
    readonly end: H | undefined
  }[]
  /** One entry a connection, with an end for each replica of its receiver. */
  readonly outputs: readonly {
    readonly port: string
    readonly overflow: Overflow
    readonly window: number
    readonly ends: readonly {
      readonly channel: number
      readonly keep: boolean
      readonly outlived: boolean
      readonly end: H | undefined
    }[]
  }[]
}

/** A channel's new wire: the actor at its other end was restarted. */
export interface Rewiring<H> {
  readonly channel: number
  /** Undefined: the other actor is gone for good. */
  readonly end: H | undefined
}

/** What the troupe asks of an actor, in any placement. No method ever throws. */
export interface Control<H> {
  start(): Promise<Reply<void>>
  wire(plan: WiringPlan<H>): Promise<Reply<void>>
  rewire(rewiring: Rewiring<H>): Promise<Reply<void>>
  ask(method: string, args: readonly unknown[]): Promise<Reply<unknown>>
  /** No further turn begins; resolves when the current one has ended. */
  halt(): Promise<Reply<void>>
  /** Stops the actor for good, after `halt`. */
  dispose(): Promise<Reply<void>>
  /** Answered at once by whoever is not stuck. */
  ping(): Promise<Reply<void>>
}

export async function reply<T>(work: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return { ok: false, error: toWire(error) }
  }
}

export function unwrap<T>(answer: Reply<T>): T {
  if (answer.ok) return answer.value
  throw fromWire(answer.error)
}
