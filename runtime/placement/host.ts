import type { MessagePort } from 'node:worker_threads'
import comlink from 'comlink'
import { portWire } from '../channel/wire.js'
import { FifoLock } from '../kernel/lock.js'
import { Outbox } from '../observe/outbox.js'
import { reportUsage } from '../observe/usage.js'
import { realClock } from '../time/clock.js'
import { realScheduler } from '../time/scheduler.js'
import { Cell } from './cell.js'
import type { Control } from './control.js'
import { importDefinition } from './definition.js'
import type { CellSpec } from './stage.js'
import { installStrayErrors, type StrayHandler } from './stray.js'

/** What a thread is given to host one actor. */
export interface HostTask {
  readonly spec: CellSpec
  readonly control: MessagePort
  readonly reports: MessagePort
}

/** Long enough that what comes between turns weighs little, short enough that nobody waits for it. */
const BURST = { turns: 256, ms: 1 }

/** Hosts one actor for its whole life; returns when it was disposed of. The thread may then host another. */
export default function host({ spec, control, reports }: HostTask): Promise<void> {
  const reporter = new Outbox(reports, { clock: realClock, onAck: () => cell.poll() })
  const cell: Cell<MessagePort> = new Cell<MessagePort>(spec, {
    clock: realClock,
    scheduler: realScheduler,
    lock: new FifoLock(),
    reporter,
    definition: () => importDefinition(spec.module, spec.role),
    toWire: portWire,
    within: (work) => work(),
    burst: BURST,
  })
  answerFor(cell)
  const { name, role, replica } = spec
  const endUsage = reportUsage({ actor: { name, role, replica }, clock: realClock, reporter })
  return new Promise((resolve) => {
    const exposed: Control<MessagePort> = {
      start: () => cell.start(),
      wire: (plan) => cell.wire(plan),
      rewire: (rewiring) => cell.rewire(rewiring),
      ask: (method, args) => cell.ask(method, args),
      ping: () => cell.ping(),
      halt: () => cell.halt(),
      dispose: async () => {
        endUsage()
        const answer = await cell.dispose()
        realScheduler.hop(resolve) // behind the answer
        return answer
      },
    }
    comlink.expose(exposed, control as unknown as comlink.Endpoint)
  })
}

let present: StrayHandler | undefined

/** Errors that nobody caught in this thread are those of the actor that lives here now. */
function answerFor(cell: StrayHandler): void {
  const first = present === undefined
  present = cell
  if (!first) return
  const stray = (error: unknown) => present?.stray(error)
  installStrayErrors({ stray })
  process.on('unhandledRejection', stray)
  process.on('uncaughtException', stray)
}
