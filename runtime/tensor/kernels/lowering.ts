import { type DataType, upcastType } from '@tensorflow/tfjs-core'
import { TroupeError } from '../../kernel/errors.js'
import type { HostDtype } from '../compile.js'
import type { Graph, Value } from '../graph.js'

/** One call of a TF.js kernel, seen by the tracer: its operands are graph values, its attributes plain data. */
export interface KernelCall {
  readonly graph: Graph
  /** The operand that TF.js names so. */
  operand(name: string): Value
  /** All operands, of a kernel that takes a list. */
  readonly operands: readonly Value[]
  readonly attrs: Readonly<Record<string, unknown>>
}

/** Says in graph operations what a TF.js kernel computes. */
export type Lowering = (call: KernelCall) => Value | Value[]

export type Lowerings = Readonly<Record<string, Lowering>>

function isHostDtype(dtype: string): dtype is HostDtype {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool'
}

/** `dtype` as one that graphs know; `E_COMPILE` for complex numbers and strings. */
export function hostDtype(dtype: string): HostDtype {
  if (isHostDtype(dtype)) return dtype
  throw new TroupeError('E_COMPILE', `${dtype} tensors cannot be traced`)
}

export function upcast(a: Value, b: Value): HostDtype {
  return hostDtype(upcastType(a.dtype as DataType, b.dtype as DataType))
}

export function untraceable(what: string): TroupeError {
  return new TroupeError('E_COMPILE', `${what} cannot be traced`)
}
