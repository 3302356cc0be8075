import {
  type CompileOptions,
  compile,
  type HostTensor,
  hostTensors,
  type LossFunction,
} from '../runtime/tensor/index.js'
import { AdamW, globalNorm, type OptimizerState } from './optimizer.js'
import { gradientGraph, partialGradientGraph, type Trainable } from './training-graph.js'
import type { OptimizerOptions } from './types.js'

/** What one update gave. Where loss or norm is not finite nothing was changed. */
export interface UpdateOutcome {
  readonly loss: number
  readonly gradNorm: number
  readonly learningRate: number
  readonly metrics: readonly number[]
}

/** Inputs of one micro-batch: batch tensors and extras. */
export type BatchInputs = readonly HostTensor[]

/** Where parameters and moments live, and who updates them. */
export interface Update {
  /** One update from one batch. */
  step(batch: BatchInputs): Promise<UpdateOutcome>
  /** One update from parts of a step whose means have the counts `totals` (the sum of what `countsGraph` gives). */
  accumulate(parts: readonly BatchInputs[], totals: HostTensor): Promise<UpdateOutcome>
  pull(): Promise<void>
  reset(options: OptimizerOptions): void
  state(): Promise<OptimizerState>
  restore(state: OptimizerState): void
  dispose(): Promise<void>
}

export const isSound = ({ loss, gradNorm }: { loss: number; gradNorm: number }) =>
  Number.isFinite(loss) && Number.isFinite(gradNorm)

/** Gradients come to the host, where AdamW changes `params` in place. */
export function createHostUpdate(
  model: Trainable,
  params: Float32Array,
  loss: LossFunction,
  optimizer: OptimizerOptions,
  engine: Omit<CompileOptions, 'name'>,
): Update {
  const adam = new AdamW(model.entries, model.total, optimizer)
  const whole = compile(gradientGraph(model, loss), { name: 'train', ...engine })
  const part = compile(partialGradientGraph(model, loss), { name: 'train-part', ...engine })
  const weights = [...hostTensors(params, model), ...model.frozen]
  const count = model.entries.length
  /** Gradients summed so far; made when a step first has several parts. */
  let sums: Float32Array[] | undefined

  function apply(loss: number, gradients: readonly Float32Array[], metrics: readonly number[]): UpdateOutcome {
    const gradNorm = globalNorm(gradients)
    const sound = isSound({ loss, gradNorm })
    return { loss, gradNorm, metrics, learningRate: sound ? adam.update(params, gradients, gradNorm) : 0 }
  }

  return {
    async step(batch) {
      const [value, ...rest] = (await whole.run([...weights, ...batch])).map(({ data }) => data as Float32Array)
      return apply(
        value![0]!,
        rest.slice(0, count),
        rest.slice(count).map((metric) => metric[0]!),
      )
    },
    async accumulate(parts, totals) {
      sums ??= model.entries.map(({ length }) => new Float32Array(length))
      for (const sum of sums) sum.fill(0)
      let loss = 0
      let metrics: number[] = []
      for (const batch of parts) {
        const outputs = await part.run([totals, ...weights, ...batch])
        const [value, ...rest] = outputs.map(({ data }) => data as Float32Array)
        loss += value![0]!
        sums.forEach((sum, i) => {
          addTo(sum, rest[i]!)
        })
        metrics = rest.slice(count).map((metric, i) => (metrics[i] ?? 0) + metric[0]!)
      }
      return apply(loss, sums, metrics)
    },
    pull: async () => {},
    reset: (options) => adam.reset(options),
    state: async () => adam.state(),
    restore: (state) => adam.restore(state),
    async dispose() {
      await Promise.all([whole.dispose(), part.dispose()])
    },
  }
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!
}
