import { binary } from './binary.js'
import { fusedKernels } from './fused.js'
import { indexing } from './indexing.js'
import { layout } from './layout.js'
import type { Lowerings } from './lowering.js'
import { matmul } from './matmul.js'
import { reductions } from './reduce.js'
import { unary } from './unary.js'

/** Every TF.js kernel that can be traced, by its name in TF.js. */
export const lowerings: Lowerings = {
  ...unary,
  ...binary,
  ...reductions,
  ...layout,
  ...matmul,
  ...indexing,
  ...fusedKernels,
}
