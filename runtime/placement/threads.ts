import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type comlink from 'comlink'
import type { TroupeError } from '../kernel/errors.js'
import { receiveReports } from '../observe/outbox.js'
import type { Clock } from '../time/clock.js'
import type { WiringPlan } from './control.js'
import type { HostTask } from './host.js'
import type { Hosted } from './hosted.js'
import { remoteControl } from './remote-control.js'
import type { CellSpec, HostSink, Stage } from './stage.js'
import { ThreadPool } from './thread-pool.js'

const hostFile = fileURLToPath(new URL('./host.js', import.meta.url))

/** Threads that actors live in, one in each. */
export interface ThreadHosts {
  host(spec: CellSpec, sink: HostSink): Hosted<MessagePort>
  /** Ends all threads. */
  close(deadlineMs: number): Promise<void>
}

export function threadHosts(clock: Clock, actors: number): ThreadHosts {
  const pool = new ThreadPool(hostFile, { clock, threads: actors })
  const ports = new Set<MessagePort>()

  function host(spec: CellSpec, sink: HostSink): Hosted<MessagePort> {
    const control = new MessageChannel()
    const reports = new MessageChannel()
    const ours = [control.port1, reports.port1]
    for (const port of ours) ports.add(port)
    receiveReports(reports.port1, sink)
    const { ended, kill } = pool.run(spec.name, (guard) => {
      const task: HostTask = { spec, control: control.port2, reports: reports.port2, guard }
      return { task, transfer: [control.port2, reports.port2] }
    })
    const remote = remoteControl<MessagePort>(control.port1 as unknown as comlink.Endpoint, {
      name: spec.name,
      transferOf: endsOf,
    })
    const lost = (error?: TroupeError) => {
      remote.lost(error)
      for (const port of ours) {
        port.close()
        ports.delete(port)
      }
    }
    ended.catch((error: TroupeError) => {
      lost(error)
      sink.died(error)
    })
    return {
      control: remote.control,
      kill: (deadlineMs) => {
        lost()
        return kill(deadlineMs)
      },
    }
  }

  return {
    host,
    close: async (deadlineMs) => {
      await pool.close(deadlineMs)
      for (const port of ports) port.close()
    },
  }
}

/** One thread for each of `actors` actors, from one pool. */
export function threadStage(clock: Clock, actors: number): Stage<MessagePort> {
  const hosts = threadHosts(clock, actors)
  return {
    sequential: false,
    host: (spec, _definition, sink) => hosts.host(spec, sink).control,
    pair: () => {
      const { port1, port2 } = new MessageChannel()
      return [port1, port2]
    },
    close: (deadlineMs) => hosts.close(deadlineMs),
  }
}

function endsOf(plan: WiringPlan<MessagePort>): MessagePort[] {
  return [...plan.inputs.map(({ end }) => end), ...plan.outputs.flatMap(({ ends }) => ends)]
}
