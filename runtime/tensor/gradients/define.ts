import * as tf from '@tensorflow/tfjs-core'

export type Attrs = Readonly<Record<string, unknown>>

/** The gradient of a kernel with one result: `saved` are the operands named in `inputs`, then the result if `output`. */
export interface GradientRule {
  readonly kernel: string
  readonly inputs?: readonly string[]
  readonly output?: boolean
  readonly gradient: (dy: tf.Tensor, saved: readonly tf.Tensor[], attrs: Attrs) => Record<string, () => tf.Tensor>
}

export function toConfig(rule: GradientRule): tf.GradConfig {
  return {
    kernelName: rule.kernel,
    inputsToSave: [...(rule.inputs ?? [])],
    outputsToSave: rule.output ? [true] : [],
    gradFunc: (dy, saved, attrs) => rule.gradient(dy as tf.Tensor, saved, attrs as Attrs),
  }
}

/** dx from the operand `x` and dy. */
export function ofInput(kernel: string, work: (dy: tf.Tensor, x: tf.Tensor, attrs: Attrs) => tf.Tensor): GradientRule {
  const gradient: GradientRule['gradient'] = (dy, [x], attrs) => ({ x: () => work(dy, x as tf.Tensor, attrs) })
  return { kernel, inputs: ['x'], gradient }
}

/** dx from the result y and dy. */
export function ofOutput(kernel: string, work: (dy: tf.Tensor, y: tf.Tensor, attrs: Attrs) => tf.Tensor): GradientRule {
  const gradient: GradientRule['gradient'] = (dy, [y], attrs) => ({ x: () => work(dy, y as tf.Tensor, attrs) })
  return { kernel, output: true, gradient }
}

/** A kernel that is flat wherever it is smooth. */
export function flat(kernel: string, inputs: readonly string[]): GradientRule {
  const zeros = (saved: readonly tf.Tensor[], i: number) => () => tf.zeros((saved[i] as tf.Tensor).shape)
  const gradient: GradientRule['gradient'] = (_dy, saved) =>
    Object.fromEntries(inputs.map((name, i) => [name, zeros(saved, i)]))
  return { kernel, inputs, gradient }
}

/** Sums a gradient over the axes along which its operand was broadcast. */
export function unbroadcast(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape)
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape)
}
