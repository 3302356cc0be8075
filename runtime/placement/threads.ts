import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type comlink from 'comlink'
import type { TroupeError } from '../kernel/errors.js'
import { receiveReports, takeReport } from '../observe/outbox.js'
import type { Clock } from '../time/clock.js'
import type { WireEnd } from './ends.js'
import type { HostTask } from './host.js'
import { remoteControl } from './remote-control.js'
import type { CellSpec, Host, HostSink } from './stage.js'
import { ThreadPool } from './thread-pool.js'

const hostFile = fileURLToPath(new URL('./thread.js', import.meta.url))

/** Threads that actors live in, one in each. */
export interface ThreadHosts {
  host(spec: CellSpec, sink: HostSink): Host<WireEnd>
  /** Ends all threads. */
  close(deadlineMs: number): Promise<void>
}

export function threadHosts(clock: Clock, actors: number): ThreadHosts {
  const pool = new ThreadPool(hostFile, { clock, threads: actors })
  const ports = new Set<MessagePort>()

  function host(spec: CellSpec, sink: HostSink): Host<WireEnd> {
    const control = new MessageChannel()
    const reports = new MessageChannel()
    const ours = [control.port1, reports.port1]
    for (const port of ours) ports.add(port)
    const { name, role, replica } = spec
    const tell = (message: string) =>
      sink.event({ type: 'log', actor: { name, role, replica }, at: clock.now(), level: 'warn', message })
    let malformed = 0
    const onMalformed = () => tell(`dropped a malformed report (${++malformed} so far)`)
    receiveReports(reports.port1, sink, onMalformed)
    const { ended, kill } = pool.run(spec.name, (guard) => {
      const task: HostTask = { spec, control: control.port2, reports: reports.port2, guard }
      return { task, transfer: [control.port2, reports.port2] }
    })
    const remote = remoteControl<WireEnd>(control.port1 as unknown as comlink.Endpoint, {
      name: spec.name,
      transferOf: (end) => (end.kind === 'port' ? [end.port] : []),
    })
    const lost = (error?: TroupeError) => {
      remote.lost(error)
      takeRest(reports.port1, sink, onMalformed)
      for (const port of ours) {
        port.close()
        ports.delete(port)
      }
    }
    ended.catch((error: TroupeError) => {
      lost(error)
      sink.died(error, / code: 0$/.test(error.message))
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

/** The thread has ended: what it posted and has not arrived is all that will ever come, and is known before anything is decided. */
function takeRest(port: MessagePort, sink: HostSink, malformed: () => void): void {
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
    takeReport(next.message, port, sink, malformed)
}
