import type { MessagePort } from 'node:worker_threads'
import type comlink from 'comlink'
import { portWire } from '../channel/wire.js'
import { installNativeGuard } from '../tensor/native-guard.js'
import { hostActor } from './hosting.js'
import type { CellSpec } from './stage.js'

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
  return hostActor({ spec, control: control as unknown as comlink.Endpoint, reports, toWire: portWire })
}
