import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { SocketHub } from '../../../runtime/channel/socket-hub.js'
import type { Wire } from '../../../runtime/channel/wire.js'
import { realClock } from '../../../runtime/index.js'
import { socketEnd } from '../../../runtime/placement/processes.js'
import { DEADLINE_MS } from './support.js'

/** A hub that listens and one that only connects; both are closed at the end of the test. */
export async function hubs(t: ExecutionContext, options: { rendezvousMs?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-test-'))
  const path = join(folder, 'hub.sock')
  const listening = new SocketHub({ clock: realClock, path, ...options })
  const connecting = new SocketHub({ clock: realClock })
  await listening.open()
  t.teardown(async () => {
    await connecting.close(DEADLINE_MS)
    await listening.close(DEADLINE_MS)
    await rm(folder, { recursive: true })
  })
  return { path, listening, connecting }
}

export async function socketPair(t: ExecutionContext): Promise<readonly [Wire, Wire]> {
  const { path, listening, connecting } = await hubs(t)
  const end = socketEnd(path)
  return [listening.wire(end), connecting.wire(end)]
}
