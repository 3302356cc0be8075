import { z } from 'zod'
import { type ActorContext, defineActor, port } from '../../runtime/index.js'
import { Ledger, type LedgerState } from './ledger.js'

export interface Item {
  readonly writer: number
  readonly id: number
  readonly data: Float32Array<ArrayBuffer>
}

export interface Done {
  readonly writer: number
  readonly id: number
  readonly sum: number
}

/** Numbers in an item. */
const LENGTH = 64
/** Items between two pauses of a writer. */
const BURST = 16

/** Ends the place of one replica: a thread by leaving it, a process by a signal that cannot be caught. */
function mortal({ self }: Pick<ActorContext<unknown>, 'self'>) {
  return {
    die: (replica: number, how: 'exit' | 'kill') => {
      if (replica !== self.replica) return
      if (how === 'kill') process.kill(process.pid, 'SIGKILL')
      else process.exit(7)
    },
  }
}

/** Writes numbered items until it is told that it was enough. */
export const writer = defineActor({
  module: import.meta.url,
  role: 'writer',
  inputs: {},
  outputs: { items: port<Item>({ transfer: ({ data }) => [data.buffer] }) },
  config: z.strictObject({ pauseMs: z.number() }),
  start: ({ config: { pauseMs }, turn, clock, self }) => {
    let next = 0
    let isEnough = false
    const item = (id: number): Item => ({ writer: self.replica, id, data: new Float32Array(LENGTH).fill(id % 1000) })
    return {
      streams: () => ({
        items: turn.generate('write', async function* () {
          while (!isEnough) {
            if (next % BURST === 0) await clock.sleep(pauseMs)
            yield item(next++)
          }
        }),
      }),
      snapshot: () => ({ next, isEnough }),
      restore: (state) => {
        ;({ next, isEnough } = state as { next: number; isEnough: boolean })
      },
      api: {
        ...mortal({ self }),
        issued: () => next,
        enough: () => {
          isEnough = true
        },
      },
    }
  },
})

/** Adds up what is in an item. */
export const worker = defineActor({
  module: import.meta.url,
  role: 'worker',
  inputs: { items: port<Item>() },
  outputs: { done: port<Done>() },
  config: z.strictObject({}),
  start: ({ turn, self }) => {
    let worked = 0
    return {
      streams: ({ items }) => ({
        done: items.pipe(
          turn(({ writer, id, data }): Done => {
            worked++
            return { writer, id, sum: data.reduce((sum, value) => sum + value, 0) }
          }),
        ),
      }),
      snapshot: () => worked,
      restore: (state) => {
        worked = state as number
      },
      api: { ...mortal({ self }), worked: () => worked },
    }
  },
})

export interface Account extends LedgerState {
  /** Items whose numbers were not those that were written. */
  readonly wrong: number
}

/** Keeps the account of everything that arrives. */
export const collector = defineActor({
  module: import.meta.url,
  role: 'collector',
  inputs: { done: port<Done>() },
  outputs: {},
  config: z.strictObject({}),
  start: ({ turn, self }) => {
    let ledger = new Ledger()
    let wrong = 0
    const account = (): Account => ({ ...ledger.state(), wrong })
    return {
      streams: ({ done }) => {
        done
          .pipe(
            turn(({ writer, id, sum }) => {
              ledger.add(writer, id)
              if (sum !== LENGTH * (id % 1000)) wrong++
            }),
          )
          .subscribe()
        return {}
      },
      snapshot: account,
      restore: (state) => {
        const { wrong: before, ...rest } = state as Account
        ledger = Ledger.from(rest)
        wrong = before
      },
      api: { ...mortal({ self }), account },
    }
  },
})
