import { TroupeError } from '../kernel/errors.js'

export type Shape = readonly number[]

/** Elements in a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i])
}

/** The shape that NumPy's rules give to several shapes together; `E_COMPILE` when they do not fit. */
export function broadcastShape(shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    let result = 1
    for (const shape of shapes) {
      const dim = shape[axis - (rank - shape.length)] ?? 1
      if (dim === 1) continue
      if (result !== 1 && result !== dim) throw unfit(shapes)
      result = dim
    }
    return result
  })
}

function unfit(shapes: readonly Shape[]): TroupeError {
  const text = shapes.map((shape) => `[${shape.join(', ')}]`).join(', ')
  return new TroupeError('E_COMPILE', `shapes ${text} cannot be broadcast together`)
}

/** Axes as tfjs gives them (none, one or several, negative from the end), as sorted positions. */
export function axesOf(axis: unknown, rank: number): number[] {
  const list = axis == null ? Array.from({ length: rank }, (_, i) => i) : Array.isArray(axis) ? axis : [axis]
  return [...new Set(list.map((a: number) => (a < 0 ? a + rank : a)))].sort((a, b) => a - b)
}

export function keptShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((dim, i) => (axes.includes(i) ? 1 : dim))
}

export function reducedShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, i) => !axes.includes(i))
}

/** A shape with ones put before it until it has `rank` dimensions. */
export function padRank(shape: Shape, rank: number): number[] {
  return [...Array.from({ length: rank - shape.length }, () => 1), ...shape]
}
