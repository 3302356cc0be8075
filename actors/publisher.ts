import type { WeightStore } from '../runtime/tensor/weights.js'

interface Published {
  readonly version: number
  readonly params: Float32Array
}

/** What the learner has published, remembered: a run that is resumed begins with an empty store. */
export function createPublisher(weights: WeightStore, length: number) {
  const params = new Float32Array(length)
  let version = -1

  /** A restarted learner does again what it had published already: the store keeps what it has. */
  function offer(): void {
    if (weights.version() < version) weights.publish(version, params)
  }

  return {
    /** −1 before the first. */
    get version() {
      return version
    },
    publish(next: number, values: Float32Array): void {
      version = next
      params.set(values)
      offer()
    },
    /** `now` is what the learner has now: the same array serves for both where nothing was trained since. */
    snapshot(now: Published): Published | undefined {
      if (version < 0) return undefined
      return { version, params: version === now.version ? now.params : params.slice() }
    },
    restore(state: Published | undefined): void {
      if (!state) return
      version = state.version
      params.set(state.params)
      offer()
    },
  }
}
