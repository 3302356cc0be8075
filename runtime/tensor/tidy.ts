import * as tf from '@tensorflow/tfjs-core'

/**
 * Runs `work` on a TF.js backend and leaves the engine as it was: the active backend, the number of tensors (those that
 * a failed gradient kept, too) and the variables.
 */
export function onBackend<T>(name: string, work: () => T): T {
  const before = tf.getBackend()
  const variables = new Set(Object.keys(tf.engine().registeredVariables))
  void tf.setBackend(name) // synchronous for backends whose factory is
  let done = false
  try {
    let result: T | undefined
    tf.tidy(() => {
      result = work()
    })
    done = true
    return result as T
  } finally {
    for (const [key, variable] of Object.entries(tf.engine().registeredVariables))
      if (!variables.has(key)) variable.dispose()
    if (!done) dropTape()
    if (before) void tf.setBackend(before)
  }
}

/** After an error inside of a gradient, TF.js still holds what it had saved for the way back. */
function dropTape(): void {
  const { state } = tf.engine()
  if (state.gradientDepth !== 0 || !state.activeTape) return
  for (const node of state.activeTape) for (const saved of node.saved ?? []) saved.dispose()
  state.activeTape = []
}
