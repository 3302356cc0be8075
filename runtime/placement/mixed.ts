import { MessageChannel } from 'node:worker_threads'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition } from '../kernel/actor.js'
import { FifoLock } from '../kernel/lock.js'
import type { Placement } from '../kernel/plan.js'
import { directReporter } from '../observe/reporter.js'
import type { Clock } from '../time/clock.js'
import { keepAlive } from '../time/keep-alive.js'
import { realScheduler } from '../time/scheduler.js'
import { Cell } from './cell.js'
import { type WireEnd, WireEnds } from './ends.js'
import { controlByCopy, copied } from './inline.js'
import { type HostedProcess, type ProcessHosts, processHosts, socketEnd } from './processes.js'
import type { CellSpec, Host, HostSink, Stage } from './stage.js'
import { answeredBy, installStrayErrors } from './stray.js'
import { type ThreadHosts, threadHosts } from './threads.js'

/** Every actor in real time where its placement says: a thread, a process of its own, or this thread. */
export function mixedStage(clock: Clock, placements: ReadonlyMap<string, Placement>): Stage<WireEnd> {
  const count = (placement: Placement) => [...placements.values()].filter((each) => each === placement).length
  const ends = new WireEnds(clock)
  const threads: ThreadHosts | undefined = count('thread') > 0 ? threadHosts(clock, count('thread')) : undefined
  const processes: ProcessHosts | undefined = count('process') > 0 ? processHosts(clock, ends.hub) : undefined
  const living = new Map<string, HostedProcess>()
  const release = count('thread') === count('process') ? keepAlive() : () => {}

  function host(spec: CellSpec, definition: ActorDefinition, sink: HostSink): Host<WireEnd> {
    const placement = placements.get(spec.name) ?? 'thread'
    if (placement === 'inline') return inlineHost(spec, definition, sink, clock, ends)
    if (placement === 'process' && processes) {
      const hosted = processes.host(spec, sink)
      living.set(spec.name, hosted)
      return hosted as unknown as Host<WireEnd>
    }
    return (threads as ThreadHosts).host(spec, sink)
  }

  /** A process always listens, and whoever is at the other side comes to it. */
  function pair(from: string, to: string): readonly [WireEnd, WireEnd] {
    const process = living.get(to) ?? living.get(from)
    if (process) {
      const end = socketEnd(process.path)
      return [end, end]
    }
    const { port1, port2 } = new MessageChannel()
    return [
      { kind: 'port', port: port1 },
      { kind: 'port', port: port2 },
    ]
  }

  async function close(deadlineMs: number): Promise<void> {
    release()
    await Promise.all([threads?.close(deadlineMs), processes?.close(deadlineMs)])
    await ends.close(deadlineMs)
  }

  return { sequential: false, host, pair, close }
}

function inlineHost(
  spec: CellSpec,
  definition: ActorDefinition,
  sink: HostSink,
  clock: Clock,
  ends: WireEnds,
): Host<WireEnd> {
  installStrayErrors()
  const cell: Cell<WireEnd> = new Cell<WireEnd>(copied(spec), {
    clock,
    scheduler: realScheduler,
    lock: new FifoLock(),
    reporter: directReporter(sink),
    definition: async () => definition,
    toWire: (end): Wire => ends.wire(end),
    within: (work) => answeredBy(cell, work),
  })
  return { control: controlByCopy(cell), kill: async () => cell.kill() }
}
