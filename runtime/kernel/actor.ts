import type { Observable, OperatorFunction } from 'rxjs'
import type { z } from 'zod'
import type { WeightStore } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'
import type { Random } from '../time/random.js'

/** A typed place where messages enter or leave an actor. */
export interface Port<T> {
  /** Buffers that the sender gives up with a message (they are moved, not copied). */
  readonly transfer?: ((message: T) => ArrayBuffer[]) | undefined
  /** An input that may be left unconnected; its stream is then complete from the start. */
  readonly optional?: boolean | undefined
  /** Carries the message type only; never set. */
  readonly message?: T
}

/** Declares a port. With `transfer`, the named buffers are moved to the receiver and are empty at the sender after. */
export function port<T>(options: { transfer?: (message: T) => ArrayBuffer[]; optional?: boolean } = {}): Port<T> {
  return options
}

// biome-ignore lint/suspicious/noExplicitAny: a port is used contravariantly in `transfer`; the map only names ports
export type Ports = Readonly<Record<string, Port<any>>>
export type MessageOf<P> = P extends Port<infer T> ? T : never
type Inputs<P extends Ports> = { readonly [K in keyof P]: Observable<MessageOf<P[K]>> }
type Outputs<P extends Ports> = { readonly [K in keyof P]: Observable<MessageOf<P[K]>> }

/** What an actor lets others ask; every method may be async and is called through a proxy with a deadline. */
// biome-ignore lint/suspicious/noExplicitAny: parameters of an arbitrary function type
export type Api = Readonly<Record<string, (...args: any[]) => unknown>>

export interface TurnOptions<T> {
  /** Awaited before the turn begins, outside of the busy period (admission, weights). The item counts as queued. */
  readonly ready?: ((item: T) => Promise<void>) | undefined
  /** Name of the span in the trace; default: the role. */
  readonly name?: string | undefined
  /** Attributes of the span. */
  readonly attributes?: ((item: T) => Readonly<Record<string, number | string>>) | undefined
}

/**
 * The one way in which an actor works. Turns of an actor never overlap; while one runs or waits, or while an output
 * has no credit, no further input is delivered, so nothing piles up inside the actor.
 *
 * A turn that waits to be `ready` holds back *all* inputs of its actor: what makes it ready must come from elsewhere
 * (published weights), never from another input of the same actor. A turn within a turn would wait for itself.
 * Once the troupe stops, a turn that has not begun never begins and its promise never settles: loops end with it.
 */
export interface Turn {
  /** As an RxJS operator: each item is worked on in one turn, in order. */
  <T, R>(work: (item: T) => R | Promise<R>, options?: TurnOptions<T>): OperatorFunction<T, R>
  /**
   * One turn, awaited in the actor's own loop; what it throws goes to the caller. Just before `work` begins, up to
   * `take` (default 0) waiting input items are delivered: a loop that never rests says so how many it has room for.
   */
  run<R>(name: string, work: () => R | Promise<R>, options?: { readonly take?: number }): Promise<R>
  /** A stream of the actor's own making: each pull of the iterator is one turn, pulled only when outputs have credit. */
  generate<R>(name: string, items: () => AsyncIterator<R> | Iterator<R>): Observable<R>
}

export interface ActorContext<C> {
  readonly self: { readonly name: string; readonly role: string; readonly replica: number; readonly replicas: number }
  readonly config: C
  /** Seeded by the run's seed and the role (replicas share it: derive per item with `random.stream(...)`). */
  readonly random: Random
  readonly clock: Clock
  readonly turn: Turn
  /** The troupe's shared weights; `E_CONFIG` if the troupe has none. */
  readonly weights: WeightStore
  /** Aborted when the troupe stops. */
  readonly signal: AbortSignal
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void
  metric(name: string, value: number, attributes?: Readonly<Record<string, number | string>>): void
  progress(phase: string, done: number, total: number | undefined, unit: string): void
  /** A line for the run folder; plain data. Never dropped: a slow writer slows the actor. */
  record(kind: string, value: unknown): void
}

export interface RunningActor<I extends Ports, O extends Ports, A extends Api> {
  /** Wires inputs to outputs; called once, after every actor of the troupe has started. */
  readonly streams?: (inputs: Inputs<I>) => Outputs<O>
  readonly api?: A
  /**
   * All that the actor needs to go on from here, as a structured clone can hold it. Called while the actor is idle; what it
   * returns may not change afterwards, unless it is copied at once.
   */
  readonly snapshot?: () => unknown | Promise<unknown>
  /**
   * Takes a snapshot back; called after start and before `streams`, which then go on from there: an input that was taken
   * before the snapshot does not come again, and an output that was emitted before it is not to be. `E_JOURNAL` for a state
   * that is not one of this actor's.
   */
  readonly restore?: (state: unknown) => void | Promise<void>
  /**
   * What to emit, by output, in place of a message that is given up because it has ended the actor again and again, so that
   * accounts further down still add up. Default: nothing.
   */
  readonly setAside?: (input: string, message: unknown) => Readonly<Record<string, unknown>>
  readonly stop?: () => void | Promise<void>
}

export interface ActorDefinition<
  I extends Ports = Ports,
  O extends Ports = Ports,
  S extends z.ZodType = z.ZodType,
  A extends Api = Api,
> {
  /** `import.meta.url` of the file that exports this definition: a thread imports it by that. */
  readonly module: string
  readonly role: string
  readonly inputs: I
  readonly outputs: O
  /** Every key with its default and a description; unknown keys are refused by name. */
  readonly config: S
  readonly start: (context: ActorContext<z.output<S>>) => Promise<RunningActor<I, O, A>> | RunningActor<I, O, A>
}

/**
 * Declares a role as data. The definition must be exported from `module` (any export name), because a thread imports
 * that module and looks for the export whose `role` matches.
 */
export function defineActor<I extends Ports, O extends Ports, S extends z.ZodType, A extends Api>(
  definition: ActorDefinition<I, O, S, A>,
): ActorDefinition<I, O, S, A> {
  return definition
}
