/** One named array inside the flat parameter vector. `offset` and `length` count elements, not bytes. */
export interface WeightEntry {
  readonly name: string
  readonly shape: readonly number[]
  readonly offset: number
  readonly length: number
}

export interface WeightLayout {
  readonly entries: readonly WeightEntry[]
  /** Elements in all. */
  readonly total: number
}

/** What crosses to another thread: shared memory and the layout. */
export interface WeightStoreHandle {
  readonly buffer: SharedArrayBuffer
  readonly layout: WeightLayout
}

/** Versioned weights in shared memory: one publisher, any number of followers, no reader ever sees half a version. */
export interface WeightStore {
  readonly handle: WeightStoreHandle
  readonly layout: WeightLayout
  /** The newest published version, or −1 when nothing was published yet. */
  version(): number
  /** Copies `flat` in as `version`, which must be greater than the last one. */
  publish(version: number, flat: Float32Array): void
  /** Copies the newest version into `target` and returns which it was. */
  follow(target: Float32Array): number
  /** Resolves with the newest version once it is at least `version`; `E_DEADLINE` after `deadlineMs`, or the signal's reason. */
  atLeast(version: number, options: { deadlineMs: number; signal?: AbortSignal }): Promise<number>
}
