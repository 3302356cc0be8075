import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SocketEnd, SocketHub } from '../channel/socket-hub.js'
import { TroupeError } from '../kernel/errors.js'
import { openWeightStore } from '../tensor/weight-store.js'
import type { Clock } from '../time/clock.js'
import { ActorProcess } from './process.js'
import type { ProcessTask } from './process-task.js'
import type { CellSpec, Host, HostSink } from './stage.js'
import { WeightsBridge } from './weights-bridge.js'

/** The system's limit for the path of a socket is 104 or 108 bytes. */
const MAX_PATH = 100
const TOKEN_BYTES = 16

/** An actor in a process of its own. */
export interface HostedProcess extends Host<SocketEnd> {
  /** Where it listens: one end of each of its wires to others must be given this path. */
  readonly path: string
  readonly pid: number | undefined
}

/** Processes that actors live in, one in each. */
export interface ProcessHosts {
  host(spec: CellSpec, sink: HostSink): HostedProcess
  /** Ends all processes, those that were not disposed of at once, and removes their folder. */
  close(deadlineMs: number): Promise<void>
}

/** `hub` carries the weights; it is closed by whoever made it. */
export function processHosts(clock: Clock, hub: SocketHub): ProcessHosts {
  const folder = socketFolder()
  const living = new Set<ActorProcess>()
  let count = 0

  function host(spec: CellSpec, sink: HostSink): HostedProcess {
    const path = join(folder, `${count++}.sock`)
    const { weights, ...plain } = spec
    const store = weights && openWeightStore(weights)
    const weightsEnd = socketEnd(path)
    const task: ProcessTask = {
      spec: plain,
      path,
      weights: store && { layout: store.layout, token: weightsEnd.token, version: store.version() },
    }
    let bridge: WeightsBridge | undefined
    const process = new ActorProcess(task, {
      clock,
      sink,
      onReady: () => {
        if (store) bridge = new WeightsBridge(store, hub.wire(weightsEnd), clock)
      },
      onGone: () => {
        bridge?.close()
        living.delete(process)
      },
    })
    living.add(process)
    return { control: process.control, path, pid: process.pid, kill: (deadlineMs) => process.kill(deadlineMs) }
  }

  async function close(deadlineMs: number): Promise<void> {
    try {
      const results = await Promise.allSettled([...living].map((process) => process.end(deadlineMs)))
      for (const result of results) if (result.status === 'rejected') throw result.reason
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  return { host, close }
}

/** A new wire, one end of which is in the process that listens at `path`; both ends are given this. */
export function socketEnd(path: string): SocketEnd {
  return { kind: 'socket', path, token: randomBytes(TOKEN_BYTES).toString('hex') }
}

/** A folder that only this user may look into (that is how mkdtemp makes it), short enough for the path of a socket. */
function socketFolder(): string {
  for (const parent of [tmpdir(), '/tmp']) {
    const longest = join(parent, 'troupe-XXXXXX', `${Number.MAX_SAFE_INTEGER}.sock`)
    if (Buffer.byteLength(longest) <= MAX_PATH) return mkdtempSync(join(parent, 'troupe-'))
  }
  throw new TroupeError('E_CONFIG', `the folder for temporary files has too long a path: ${tmpdir()}`, {
    hint: 'Set TMPDIR to a short one',
  })
}
