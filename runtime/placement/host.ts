import type { MessagePort } from 'node:worker_threads'
import type comlink from 'comlink'
import { installNativeGuard } from '../tensor/native-guard.js'
import { realClock } from '../time/clock.js'
import { type WireEnd, WireEnds } from './ends.js'
import { hostActor } from './hosting.js'
import type { CellSpec } from './stage.js'

/** Of this thread, whoever lives in it. */
const ends = new WireEnds(realClock)

/** What a thread is given to host one actor. */
export interface HostTask {
  readonly spec: CellSpec
  readonly control: MessagePort
  readonly reports: MessagePort
  /** Where native runs are counted. */
  readonly guard: SharedArrayBuffer
}

/** Hosts one actor for its whole life; returns when it was disposed of. */
export default function host({ spec, control, reports, guard }: HostTask): Promise<void> {
  installNativeGuard(guard)
  const endpoint = control as unknown as comlink.Endpoint
  return hostActor({ spec, control: endpoint, reports, toWire: (end: WireEnd) => ends.wire(end) })
}
