import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import comlink from 'comlink'
import type { Piscina } from 'piscina'
import type { ActorDefinition } from '../kernel/actor.js'
import { TroupeError } from '../kernel/errors.js'
import { receiveReports } from '../observe/outbox.js'
import type { Clock } from '../time/clock.js'
import type { Control, Rewiring, WiringPlan } from './control.js'
import type { HostTask } from './host.js'
import type { CellSpec, Host, HostSink, Stage } from './stage.js'

const hostFile = fileURLToPath(new URL('./thread.js', import.meta.url))

/** One thread for each of `actors` actors, from one pool. */
export function threadStage(clock: Clock, actors: number): Stage<MessagePort> {
  const pool = poolOf(actors)
  const ports: MessagePort[] = []

  function host(spec: CellSpec, _definition: ActorDefinition, sink: HostSink): Host<MessagePort> {
    const control = new MessageChannel()
    const reports = new MessageChannel()
    ports.push(control.port1, reports.port1)
    const drain = receiveReports(reports.port1, sink)
    const task: HostTask = { spec, control: control.port2, reports: reports.port2 }
    const life = new AbortController()
    const transferList = [control.port2, reports.port2]
    const lived = pool.then((threads) => threads.run(task, { transferList, signal: life.signal }))
    lived.catch((error: Error) => {
      drain()
      sink.died(threadDied(spec.name, error), / code: 0$/.test(error.message))
    })
    const kill = async (deadlineMs: number) => {
      life.abort()
      await clock.deadline(lived.then(nothing, nothing), deadlineMs, `ending the thread of ${spec.name}`)
    }
    return { control: remoteControl(control.port1), kill }
  }

  return {
    sequential: false,
    host,
    pair: () => {
      const { port1, port2 } = new MessageChannel()
      return [port1, port2]
    },
    close: async (deadlineMs) => {
      const ending = pool.then((threads) => threads.destroy())
      await clock.deadline(ending, deadlineMs, 'ending the threads')
      for (const port of ports) port.close()
    },
  }
}

/** Loaded only where threads are started: every thread loads this file too, with the roles that it imports. */
async function poolOf(actors: number): Promise<Piscina> {
  const { Piscina } = await import('piscina')
  const pool = new Piscina({
    filename: hostFile,
    minThreads: actors,
    maxThreads: actors,
    concurrentTasksPerWorker: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    // With Piscina's default, a worker's ports freeze as soon as a task of it returns.
    atomics: 'disabled',
  })
  // After a worker's death Piscina may report a stray message; what matters arrives by the task's own promise.
  pool.on('error', () => {})
  return pool
}

/** Comlink's proxy, held for the life of the actor: one that is collected would drop the answers still under way. */
function remoteControl(port: MessagePort): Control<MessagePort> {
  const remote = comlink.wrap<Control<MessagePort>>(port as unknown as comlink.Endpoint)
  return {
    start: () => remote.start(),
    wire: (plan) => remote.wire(comlink.transfer(plan, endsOf(plan) as unknown as Transferable[])),
    rewire: (rewiring) => remote.rewire(comlink.transfer(rewiring, endOf(rewiring) as unknown as Transferable[])),
    ping: () => remote.ping(),
    ask: (method, args) => remote.ask(method, args),
    halt: () => remote.halt(),
    dispose: () => remote.dispose(),
  }
}

function endsOf(plan: WiringPlan<MessagePort>): MessagePort[] {
  const ends = [...plan.inputs.map(({ end }) => end), ...plan.outputs.flatMap(({ ends }) => ends.map(({ end }) => end))]
  return ends.filter((end) => end !== undefined)
}

function endOf({ end }: Rewiring<MessagePort>): MessagePort[] {
  return end === undefined ? [] : [end]
}

const nothing = () => {}

function threadDied(name: string, cause: Error): TroupeError {
  return new TroupeError('E_HOST_DIED', `the thread of ${name} has ended: ${cause.message}`, { where: name, cause })
}
