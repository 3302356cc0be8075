import { registerGradient } from '@tensorflow/tfjs-core'
import { addN, binaryGradients } from './binary.js'
import { toConfig } from './define.js'
import { indexingGradients } from './indexing.js'
import { layoutGradients, listGradients } from './layout.js'
import { matmulGradient } from './matmul.js'
import { reduceGradients } from './reduce.js'
import { unaryGradients } from './unary.js'

/*
 * TF.js's own gradients are not in the bundle that Node loads: only its umbrella package registers them, and that brings
 * WebGL, a converter and a layer library along. These also broadcast in matrix products, and make smaller graphs.
 */
const rules = [...unaryGradients, ...binaryGradients, ...reduceGradients, ...layoutGradients, ...indexingGradients]

let isRegistered = false

/** Makes `tf.grads` and its kin work; called by `compile`. Doing it again does nothing, unless others may have come after. */
export function registerGradients({ again = false } = {}): void {
  if (isRegistered && !again) return
  isRegistered = true
  for (const config of [...rules, matmulGradient].map(toConfig)) registerGradient(config)
  for (const config of [addN, ...listGradients]) registerGradient(config)
}
