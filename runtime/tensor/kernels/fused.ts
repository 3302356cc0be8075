import type { Value } from '../graph.js'
import { cast } from './elementwise.js'
import type { KernelCall, Lowerings } from './lowering.js'

const MICROSOFT = 'com.microsoft'

/** ONNX Runtime's own fused operators, each under a name of ours; `fused()` calls them. Keyed like TF.js kernels. */
export const fusedKernels = {
  /** x [N, C], gain [C] → y [N, C], 1 / √(mean x² + eps) [N, 1]. */
  TroupeRmsNorm: ({ graph, operand, attrs }) => {
    const x = operand('x')
    const results = [x.shape, [...x.shape.slice(0, -1), 1]].map((shape) => ({ dtype: 'float32' as const, shape }))
    const attributes = { axis: { int: -1 }, epsilon: { float: attrs.eps as number } }
    return graph.applyMany('SimplifiedLayerNormalization', [x, operand('gain')], results, attributes)
  },
  TroupeRotary: rotary,
  /** x · σ(x). */
  TroupeSilu: ({ graph, operand }) =>
    graph.apply('QuickGelu', [operand('x')], 'float32', operand('x').shape, { alpha: { float: 1 } }, MICROSOFT),
  /** Adds values [M] to x [M, V] at one column a row, targets [M]. The operator works in place where it can. */
  TroupePlaceRows: ({ graph, operand }) => {
    const [x, targets, values] = [operand('x'), operand('targets'), operand('values')]
    const column = (value: Value) => graph.reshape(value, [x.shape[0] as number, 1])
    const attributes = { axis: { int: 1 }, reduction: { string: 'add' } }
    return graph.apply('ScatterElements', [x, column(targets), column(values)], 'float32', x.shape, attributes)
  },
} satisfies Lowerings

/** x [B, T, heads·D], cos and sin [P, R/2], positions [B, T] or none (0, 1, …) → as x. */
function rotary({ graph, operand, operands, attrs }: KernelCall): Value {
  const x = operand('x')
  const positions = operands.length > 3 ? cast(graph, operand('positions'), 'int64') : graph.ints([0])
  const attributes = { num_heads: { int: attrs.heads as number }, rotary_embedding_dim: { int: attrs.dims as number } }
  const inputs = [x, positions, operand('cos'), operand('sin')]
  return graph.apply('RotaryEmbedding', inputs, 'float32', x.shape, attributes, MICROSOFT)
}
