import comlink from 'comlink'
import type { Wire } from '../channel/wire.js'
import { FifoLock } from '../kernel/lock.js'
import { Outbox, type ReportPort } from '../observe/outbox.js'
import type { Reporter } from '../observe/reporter.js'
import { reportUsage } from '../observe/usage.js'
import { realClock } from '../time/clock.js'
import { promptScheduler } from '../time/scheduler.js'
import { Cell } from './cell.js'
import type { Control } from './control.js'
import { importDefinition } from './definition.js'
import { answerQuestions } from './question-line.js'
import type { CellSpec } from './stage.js'
import { installStrayErrors } from './stray.js'

/** What a thread or process gives to the one actor that it hosts. */
export interface Hosting<H> {
  readonly spec: CellSpec
  readonly control: comlink.Endpoint
  readonly reports: ReportPort
  readonly toWire: (end: H) => Wire
  /** What was posted can be lost: a commit counts only once it has arrived. */
  readonly confirmed?: boolean | undefined
  /** Awaited before the actor starts, and before anything that it did is told of. */
  readonly settle?: ((moment: 'start' | 'tell') => Promise<void>) | undefined
}

/** Long enough that what comes between turns weighs little, short enough that nobody waits for it. */
const BURST = { turns: 256, ms: 1 }

/** Whom errors are laid at that nobody caught: the actor that was hosted last. */
let current: Cell<never> | undefined
let isListening = false

/** Hosts an actor; resolves when it was disposed of. */
export function hostActor<H>({ spec, control, reports, toWire, confirmed, settle }: Hosting<H>): Promise<void> {
  const outbox = new Outbox(reports, { clock: realClock, onAck: () => cell.poll(), confirmed })
  const cell: Cell<H> = new Cell<H>(spec, {
    clock: realClock,
    scheduler: promptScheduler(),
    lock: new FifoLock(),
    reporter: settle ? tellingAfter(outbox, () => settle('tell')) : outbox,
    definition: () => importDefinition(spec.module, spec.role),
    toWire,
    within: (work) => work(),
    burst: BURST,
  })
  current = cell as unknown as Cell<never>
  const { name, role, replica } = spec
  const endUsage = reportUsage({ actor: { name, role, replica }, clock: realClock, reporter: outbox })
  listenForStrayErrors()
  const behind = async <T>(moment: 'start' | 'tell', work: () => Promise<T>): Promise<T> => {
    if (moment === 'start') await settle?.(moment)
    const answer = await work()
    if (moment === 'tell') await settle?.(moment)
    return answer
  }
  return new Promise((resolve) => {
    const exposed: Omit<Control<H>, 'ask'> = {
      start: () => behind('start', () => cell.start()),
      wire: (plan) => cell.wire(plan),
      rewire: (rewiring) => cell.rewire(rewiring),
      halt: () => behind('tell', () => cell.halt()),
      dispose: async () => {
        endUsage()
        const answer = await behind('tell', () => cell.dispose())
        resolve()
        return answer
      },
      ping: () => cell.ping(),
    }
    comlink.expose(exposed, control)
    const ask = (method: string, args: readonly unknown[]) => cell.ask(method, args)
    answerQuestions(control, name, settle ? (...asked) => behind('tell', () => ask(...asked)) : ask)
  })
}

function listenForStrayErrors(): void {
  if (isListening) return
  isListening = true
  const handler = { stray: (error: unknown) => current?.stray(error) }
  installStrayErrors(handler)
  process.on('unhandledRejection', handler.stray)
  process.on('uncaughtException', handler.stray)
}

/** That all is done is told behind what was done. */
function tellingAfter(outbox: Outbox, settled: () => Promise<void>): Reporter {
  return {
    emit: (event) => outbox.emit(event),
    completed: () => void settled().then(() => outbox.completed()),
    failed: (error) => outbox.failed(error),
    taking: (channel, seq) => outbox.taking(channel, seq),
    commit: (commit) => outbox.commit(commit),
    get behind() {
      return outbox.behind
    },
    afterTurn: (at) => outbox.afterTurn(at),
    drain: () => outbox.drain(),
  }
}
