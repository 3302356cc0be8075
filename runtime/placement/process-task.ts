import type { WeightLayout } from '../tensor/weights.js'
import type { CellSpec } from './stage.js'

/** Planes of the channel between a process and its host. */
export const PLANES = { task: 'task', ready: 'ready', control: 'control', reports: 'reports' } as const

/** What stands behind the descriptors for input, output, errors and the channel: open for as long as the parent lives. */
export const PARENT_FD = 4

/** What a process is given to host one actor: plain data. */
export interface ProcessTask {
  readonly spec: Omit<CellSpec, 'weights'>
  /** Where the process listens for its peers. */
  readonly path: string
  readonly weights?:
    | {
        readonly layout: WeightLayout
        /** Names the wire over which weights come and go. */
        readonly token: string
        /** What the actor may rely on when it starts. */
        readonly version: number
      }
    | undefined
}
