import { Worker } from 'node:worker_threads'
import { type SocketEnd, SocketHub } from '../channel/socket-hub.js'
import { createWeightStore } from '../tensor/weight-store.js'
import { realClock } from '../time/clock.js'
import { hostActor } from './hosting.js'
import { Ipc } from './ipc.js'
import { PLANES, type ProcessTask } from './process-task.js'
import { removeSocket } from './remove-socket.js'
import { WeightsBridge } from './weights-bridge.js'

/** Longest wait for weights: those an actor starts with, and those that leave before what was done with them is told. */
const WEIGHTS_MS = 60_000
/** Longest wait, at the end, for what was posted to other processes to leave. */
const LEAVING_MS = 10_000
const NO_VERSION = -1

const ipc = new Ipc(process)
let isDisposed = false
let leave = async () => {}
let path: string | undefined

// Ctrl-C goes to every process of the terminal; it is the troupe's main process that stops the actors.
process.on('SIGINT', () => {})
process.on('disconnect', () => {
  const left = isDisposed ? leave().catch(() => {}) : Promise.resolve()
  void left.then(() => {
    if (path !== undefined) removeSocket(path)
    process.exit(0)
  })
})
ipc.plane(PLANES.task).on('message', (task) => void play(task as ProcessTask))

/** Hosts the actor; the process ends when its parent lets go of it. */
async function play({ spec, path: ours, weights }: ProcessTask): Promise<void> {
  path = ours
  process.title = `troupe ${spec.name}`
  new Worker(new URL('./parent-watch.js', import.meta.url), { workerData: ours }).unref()
  const hub = new SocketHub({ clock: realClock, path: ours })
  await hub.open()
  const store = weights && createWeightStore(weights.layout)
  const bridge =
    store && new WeightsBridge(store, hub.wire({ kind: 'socket', path: ours, token: weights.token }), realClock)
  leave = async () => {
    bridge?.close()
    await hub.close(LEAVING_MS)
  }
  const settle = {
    start: async () => void (await store?.atLeast(weights?.version ?? NO_VERSION, { deadlineMs: WEIGHTS_MS })),
    tell: async () => bridge?.flush(WEIGHTS_MS),
  }
  ipc.plane(PLANES.ready).postMessage(true)
  await hostActor<SocketEnd>({
    spec: { ...spec, weights: store?.handle },
    control: ipc.plane(PLANES.control),
    reports: ipc.plane(PLANES.reports),
    toWire: (end) => hub.wire(end),
    confirmed: true,
    settle: (moment) => settle[moment](),
  })
  isDisposed = true
}
