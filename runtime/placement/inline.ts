import { InlineBus } from '../channel/inline-wire.js'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition } from '../kernel/actor.js'
import { sharedThreadLock } from '../kernel/lock.js'
import { directReporter } from '../observe/reporter.js'
import type { Clock } from '../time/clock.js'
import { keepAlive } from '../time/hop.js'
import { Cell } from './cell.js'
import { type Control, type Reply, reply, unwrap } from './control.js'
import type { CellSpec, HostSink, Stage } from './stage.js'
import { answeredBy, installStrayErrors } from './stray.js'

/** All actors in this thread, their turns one after another: the same seed gives the same sequence of events. */
export function inlineStage(clock: Clock): Stage<Wire> {
  const lock = sharedThreadLock()
  const bus = new InlineBus()
  const release = keepAlive()
  installStrayErrors()

  function host(spec: CellSpec, definition: ActorDefinition, sink: HostSink): Control<Wire> {
    const cell: Cell<Wire> = new Cell<Wire>(
      { ...spec, config: structuredClone(spec.config) },
      {
        clock,
        lock,
        reporter: directReporter(sink),
        definition: async () => definition,
        toWire: (end) => end,
        within: (work) => answeredBy(cell, work),
      },
    )
    return {
      start: () => cell.start(),
      wire: (plan) => cell.wire(plan),
      ask: (method, args) => askByCopy(cell, method, args),
      halt: () => cell.halt(),
      dispose: () => cell.dispose(),
      ping: () => cell.ping(),
    }
  }

  return { sequential: true, host, pair: () => bus.pair(), close: async () => release() }
}

/** Arguments and answers are cloned, as they would be on their way to a thread. */
async function askByCopy(cell: Cell<Wire>, method: string, args: readonly unknown[]): Promise<Reply<unknown>> {
  return reply(async () => structuredClone(unwrap(await cell.ask(method, structuredClone(args)))))
}
