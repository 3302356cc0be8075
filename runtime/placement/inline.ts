import { InlineBus } from '../channel/inline-wire.js'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition } from '../kernel/actor.js'
import { type FifoLock, sharedThreadLock } from '../kernel/lock.js'
import { directReporter } from '../observe/reporter.js'
import { openWeightStore } from '../tensor/weight-store.js'
import type { WeightStore } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'
import { keepAlive } from '../time/keep-alive.js'
import { realScheduler } from '../time/scheduler.js'
import { Cell } from './cell.js'
import { type Control, type Reply, reply, unwrap } from './control.js'
import type { CellSpec, Host, HostSink, Stage } from './stage.js'
import { answeredBy, installStrayErrors } from './stray.js'

/** A number of turns and no time: the order of turns must not depend on how fast the machine is. */
const BURST = { turns: 32 }

/** All actors in this thread, their turns one after another: the same seed gives the same sequence of events. */
export function inlineStage(clock: Clock): Stage<Wire> {
  const scheduler = realScheduler
  const lock = sharedThreadLock(scheduler)
  const bus = new InlineBus(scheduler)
  const release = keepAlive()
  installStrayErrors()

  function host(spec: CellSpec, definition: ActorDefinition, sink: HostSink): Host<Wire> {
    const cell: Cell<Wire> = new Cell<Wire>(copied(spec), {
      clock,
      scheduler,
      lock,
      reporter: directReporter(sink),
      definition: async () => definition,
      toWire: (end) => end,
      within: (work) => answeredBy(cell, work),
      burst: BURST,
      openWeights: (handle) => disturbing(openWeightStore(handle), lock),
    })
    return { control: controlByCopy(cell), kill: async () => cell.kill() }
  }

  return { sequential: true, host, pair: () => bus.pair(), close: async () => release() }
}

/** Who waits for a version is woken by the machine, and comes before the next turn. */
function disturbing(store: WeightStore, lock: FifoLock): WeightStore {
  return {
    ...store,
    publish: (version, flat) => {
      store.publish(version, flat)
      lock.disturb()
    },
  }
}

/** As it would be on its way to a thread; shared memory stays shared. */
export function copied(spec: CellSpec): CellSpec {
  return { ...spec, config: structuredClone(spec.config), resume: structuredClone(spec.resume) }
}

/** Arguments and answers are cloned, as they would be on their way to a thread. */
export function controlByCopy<H>(cell: Cell<H>): Control<H> {
  return {
    start: () => cell.start(),
    wire: (plan) => cell.wire(plan),
    rewire: (rewiring) => cell.rewire(rewiring),
    ask: (method, args) => askByCopy(cell, method, args),
    ping: () => cell.ping(),
    halt: () => cell.halt(),
    dispose: () => cell.dispose(),
  }
}

async function askByCopy<H>(cell: Cell<H>, method: string, args: readonly unknown[]): Promise<Reply<unknown>> {
  return reply(async () => structuredClone(unwrap(await cell.ask(method, structuredClone(args)))))
}
