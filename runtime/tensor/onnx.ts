import { InferenceSession, Tensor } from 'onnxruntime-node'
import { assert } from '../kernel/errors.js'
import { realClock } from '../time/index.js'
import type { Compiled, CompileOptions, HostTensor, TensorFunction, TensorInput } from './compile.js'
import { asCompileError, checkOutputs, dataError } from './failure.js'
import { checkInputs, keepOnHost, onHost, specKey, writeInto } from './host.js'
import { nativeRun } from './native-guard.js'
import { encodeModel, inputName, outputName } from './onnx-model.js'
import { trace } from './trace-backend.js'

const DEFAULTS = { threads: 1, maxGraphs: 16 }

interface Entry {
  readonly session: Promise<InferenceSession>
  /** Runs that hold the session; it is released when it is retired and this is 0. */
  users: number
  retired: boolean
}

/** A function as native graphs, one per tuple of input shapes, the least recently used released first. */
export function compileForOnnx(fn: TensorFunction, options: CompileOptions): Compiled {
  const threads = options.threads ?? DEFAULTS.threads
  const maxGraphs = options.maxGraphs ?? DEFAULTS.maxGraphs
  const entries = new Map<string, Entry>()
  const stats = { graphs: 0, compileMs: 0 }

  async function open(inputs: readonly HostTensor[]): Promise<InferenceSession> {
    const start = realClock.now()
    try {
      const checked: TensorFunction = (tensors) => checkOutputs(options.name, fn(tensors))
      const { graph, outputs } = trace(checked, inputs, threads)
      const model = encodeModel(graph, outputs, options.name)
      const session = await nativeRun(() => InferenceSession.create(model, sessionOptions(threads)))
      stats.graphs++
      return session
    } catch (error) {
      throw asCompileError(options.name, error)
    } finally {
      stats.compileMs += realClock.now() - start
    }
  }

  function entryFor(inputs: readonly HostTensor[]): Entry {
    const key = specKey(inputs)
    const entry = entries.get(key) ?? { session: open(inputs), users: 0, retired: false }
    entries.delete(key)
    entries.set(key, entry)
    entry.session.catch(() => entries.get(key) === entry && entries.delete(key))
    for (const [oldest, old] of entries) {
      if (entries.size <= maxGraphs) break
      entries.delete(oldest)
      void retire(old)
    }
    return entry
  }

  async function retire(entry: Entry): Promise<void> {
    entry.retired = true
    if (entry.users > 0) return
    const session = await entry.session.catch(() => undefined)
    if (session) await nativeRun(() => session.release())
  }

  async function evaluate(given: readonly TensorInput[]): Promise<HostTensor[]> {
    const inputs = onHost(options.name, given)
    checkInputs(options.name, inputs)
    const entry = entryFor(inputs)
    entry.users++
    try {
      const session = await entry.session
      const feeds = session.inputNames.map((name) => [name, tensorOf(inputs[Number(name.slice(inputName('').length))])])
      const results = await nativeRun(() => session.run(Object.fromEntries(feeds))).catch((error) => {
        throw dataError(options.name, error)
      })
      return session.outputNames.map((_, i) => hostTensor(results[outputName(i)]))
    } finally {
      entry.users--
      if (entry.retired) await retire(entry)
    }
  }

  return {
    stats,
    run: async (inputs, into) => writeInto(options.name, await evaluate(inputs), into),
    runKept: async (inputs, kept) => keepOnHost('onnx', await evaluate(inputs), kept),
    async dispose() {
      const open = [...entries.values()]
      entries.clear()
      await Promise.all(open.map(retire))
    },
  }
}

function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableCpuMemArena: true,
    logSeverityLevel: 4,
    // Denormals cost a hundred times a normal operation. A pool spins only between the operations of one run, and only
    // where the caller gave a run several threads: measured 3 to 5 % faster, and no other actor's core is taken after.
    extra: {
      session: {
        set_denormal_as_zero: '1',
        force_spinning_stop: '1',
        intra_op: { allow_spinning: threads > 1 ? '1' : '0' },
      },
    },
  }
}

function tensorOf(input: HostTensor | undefined): Tensor {
  assert(input, 'a graph has one input for each tensor it was traced with')
  return new Tensor(input.dtype, input.data as never, input.shape as number[])
}

function hostTensor(tensor: Tensor | undefined): HostTensor {
  assert(tensor, 'a graph gives every output it was asked for')
  return { dtype: tensor.type, shape: tensor.dims, data: tensor.data } as HostTensor
}
