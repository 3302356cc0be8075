import * as tf from '@tensorflow/tfjs-core'
import {
  type Backend,
  type CompileOptions,
  compile,
  type DeviceTensor,
  type HostTensor,
  hostTensors,
  type LossFunction,
  upload,
} from '../runtime/tensor/index.js'
import { adamwScalars } from './adamw-graph.js'
import { checkOptimizer, checkState, correctionsAt, type OptimizerState } from './optimizer.js'
import { partialGradientGraph, stepWithUpdateGraph, type Trainable, updateGraph } from './training-graph.js'
import type { OptimizerOptions } from './types.js'
import { type BatchInputs, isSound, type Update, type UpdateOutcome } from './update.js'

interface Resident {
  params: DeviceTensor[]
  m: DeviceTensor[]
  v: DeviceTensor[]
  frozen: DeviceTensor[]
}

const first = (count: number, from = 0) => new Set(Array.from({ length: count }, (_, i) => from + i))
const numbers = (tensors: readonly HostTensor[]) => tensors.map(({ data }) => data[0]!)
const disposeAll = (tensors: readonly DeviceTensor[]) => {
  for (const tensor of tensors) tensor.dispose()
}

/** Parameters and moments stay on the device, and a training step is one call. */
export class ResidentUpdate implements Update {
  readonly #model: Trainable
  readonly #params: Float32Array
  readonly #backend: Backend
  readonly #graphs: Record<'step' | 'part' | 'update' | 'add', ReturnType<typeof compile>>
  #optimizer: OptimizerOptions
  #step = 0
  /** What the moments are to become before the next step; undefined: they are on the device. */
  #moments: { m: Float32Array; v: Float32Array } | undefined
  #resident: Resident | undefined
  /** True while `params` is older than what is on the device. */
  #ahead = false

  constructor(
    model: Trainable,
    params: Float32Array,
    loss: LossFunction,
    optimizer: OptimizerOptions,
    engine: Omit<CompileOptions, 'name'> & { readonly backend: Backend },
  ) {
    checkOptimizer(optimizer)
    this.#model = model
    this.#backend = engine.backend
    this.#params = params
    this.#optimizer = optimizer
    this.#moments = this.#zeros()
    const count = model.entries.length
    const sums = (inputs: tf.Tensor[]) => inputs.slice(0, count).map((sum, i) => tf.add(sum, inputs[count + i]!))
    this.#graphs = {
      step: compile(stepWithUpdateGraph(model, loss), { name: 'train-step', ...engine }),
      part: compile(partialGradientGraph(model, loss), { name: 'train-part', ...engine }),
      update: compile(updateGraph(model), { name: 'train-update', ...engine }),
      add: compile(sums, { name: 'train-add', ...engine }),
    }
  }

  async step(batch: BatchInputs): Promise<UpdateOutcome> {
    const { params, m, v, frozen } = await this.#ready()
    const inputs = [adamwScalars(this.#optimizer, this.#step), ...params, ...m, ...v, ...frozen, ...batch]
    const run = await this.#graphs.step.runKept(inputs, first(3 * params.length))
    const [loss, gradNorm, ...metrics] = numbers(run.host)
    return this.#take(run.kept, { loss: loss!, gradNorm: gradNorm!, metrics })
  }

  async accumulate(parts: readonly BatchInputs[], totals: HostTensor): Promise<UpdateOutcome> {
    const { params, m, v, frozen } = await this.#ready()
    let sums: DeviceTensor[] | undefined
    let loss = 0
    let metrics: number[] = []
    for (const batch of parts) {
      const run = await this.#graphs.part.runKept([totals, ...params, ...frozen, ...batch], first(params.length, 1))
      const [value, ...further] = numbers(run.host)
      loss += value!
      metrics = further.map((metric, i) => (metrics[i] ?? 0) + metric)
      const before: DeviceTensor[] | undefined = sums
      sums = before ? (await this.#graphs.add.runKept([...before, ...run.kept], first(params.length))).kept : run.kept
      if (before) disposeAll([...before, ...run.kept])
    }
    const value: HostTensor = { dtype: 'float32', shape: [], data: Float32Array.of(loss) }
    const inputs = [adamwScalars(this.#optimizer, this.#step), value, ...params, ...m, ...v, ...(sums ?? [])]
    const run = await this.#graphs.update.runKept(inputs, first(3 * params.length))
    disposeAll(sums ?? [])
    return this.#take(run.kept, { loss, gradNorm: numbers(run.host)[0]!, metrics })
  }

  async pull(): Promise<void> {
    if (!this.#ahead || !this.#resident) return
    await this.#readInto(this.#resident.params, this.#params)
    this.#ahead = false
  }

  reset(options: OptimizerOptions): void {
    checkOptimizer(options)
    this.#optimizer = options
    this.#step = 0
    this.#moments = this.#zeros()
  }

  async state(): Promise<OptimizerState> {
    if (this.#moments || !this.#resident) {
      const { m, v } = this.#moments ?? this.#zeros()
      return { step: this.#step, m: m.slice(), v: v.slice() }
    }
    const { m, v } = this.#zeros()
    await this.#readInto(this.#resident.m, m)
    await this.#readInto(this.#resident.v, v)
    return { step: this.#step, m, v }
  }

  restore(state: OptimizerState): void {
    checkState(state, this.#model.total)
    this.#step = state.step
    this.#moments = { m: state.m.slice(), v: state.v.slice() }
  }

  async dispose(): Promise<void> {
    const resident = this.#resident
    this.#resident = undefined
    if (resident) disposeAll(Object.values(resident).flat())
    await Promise.all(Object.values(this.#graphs).map((graph) => graph.dispose()))
  }

  /** Brings to the device what is not there yet. */
  async #ready(): Promise<Resident> {
    this.#resident ??= {
      params: await upload(hostTensors(this.#params, this.#model), this.#backend),
      frozen: await upload(this.#model.frozen, this.#backend),
      m: [],
      v: [],
    }
    if (this.#moments) {
      const { m, v } = this.#moments
      disposeAll([...this.#resident.m, ...this.#resident.v])
      this.#resident.m = await upload(hostTensors(m, this.#model), this.#backend)
      this.#resident.v = await upload(hostTensors(v, this.#model), this.#backend)
      this.#moments = undefined
    }
    return this.#resident
  }

  /** The graph left params and moments as they were when the outcome is not sound. */
  #take(kept: DeviceTensor[], outcome: Omit<UpdateOutcome, 'learningRate'>): UpdateOutcome {
    const resident = this.#resident!
    const count = resident.params.length
    disposeAll([...resident.params, ...resident.m, ...resident.v])
    resident.params = kept.slice(0, count)
    resident.m = kept.slice(count, 2 * count)
    resident.v = kept.slice(2 * count)
    if (!isSound(outcome)) return { ...outcome, learningRate: 0 }
    this.#ahead = true
    const { rate } = correctionsAt(this.#optimizer, this.#step++)
    return { ...outcome, learningRate: rate }
  }

  async #readInto(tensors: readonly DeviceTensor[], flat: Float32Array): Promise<void> {
    for (const [i, tensor] of tensors.entries()) flat.set((await tensor.read()).data, this.#model.entries[i]!.offset)
  }

  #zeros() {
    return { m: new Float32Array(this.#model.total), v: new Float32Array(this.#model.total) }
  }
}
