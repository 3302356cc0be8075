import type { Api, MessageOf, Ports } from './actor.js'

/** An output of an actor of the troupe, to be connected. */
export interface OutputRef<T> {
  readonly kind: 'output'
  readonly actor: string
  readonly port: string
  /** Carries the message type only; never set. */
  readonly gives?: T
}

/** An input of an actor of the troupe, to be connected. */
export interface InputRef<T> {
  readonly kind: 'input'
  readonly actor: string
  readonly port: string
  /** Carries the message type only; never set. */
  readonly takes?: (message: T) => void
}

/** The methods that an actor's `api` offers, asked from here: every answer is a promise with a deadline. */
type Asked<A extends Api> = {
  readonly [K in keyof A]: (...args: Parameters<A[K]>) => Promise<Awaited<ReturnType<A[K]>>>
}

/** As {@link Asked}, of every replica; answers in the order of the replicas. */
type AskedAll<A extends Api> = {
  readonly [K in keyof A]: (...args: Parameters<A[K]>) => Promise<Awaited<ReturnType<A[K]>>[]>
}

/** An actor of a troupe: what others connect and ask. It may stand for several replicas. */
export interface ActorRef<I extends Ports, O extends Ports, A extends Api> {
  readonly name: string
  readonly replicas: number
  readonly inputs: { readonly [K in keyof I]: InputRef<MessageOf<I[K]>> }
  readonly outputs: { readonly [K in keyof O]: OutputRef<MessageOf<O[K]>> }
  /**
   * Asks replica 0. Rejects with the error that the method raised, `E_DEADLINE`, or `E_ACTOR_DOWN` when the actor has
   * not started, failed or stopped.
   */
  readonly ask: Asked<A>
  readonly askAll: AskedAll<A>
}

/** Makes the methods of an `ask`: any name, since only the actor's thread knows which there are. */
export function askProxy<T extends object>(call: (method: string, args: readonly unknown[]) => Promise<unknown>): T {
  return new Proxy({} as T, {
    get: (_target, method) => {
      if (typeof method !== 'string' || method === 'then') return undefined
      return (...args: unknown[]) => call(method, args)
    },
  })
}
