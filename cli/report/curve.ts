/** Points of a line, x ascending. */
export type Curve = readonly (readonly [x: number, y: number])[]

const MAX_POINTS = 800

/** Gathers a curve of any length in at most 800 points: neighbours are averaged, pair by pair, when it grows too long. */
export function growingCurve(): { add(x: number, y: number): void; points(): Curve } {
  let points: [number, number][] = []
  let every = 1
  let held: [number, number, number] = [0, 0, 0]
  return {
    add(x, y) {
      held = [held[0] + x, held[1] + y, held[2] + 1]
      if (held[2] < every) return
      points.push([held[0] / every, held[1] / every])
      held = [0, 0, 0]
      if (points.length < MAX_POINTS) return
      points = Array.from({ length: MAX_POINTS / 2 }, (_, i) => mean(points[2 * i]!, points[2 * i + 1]!))
      every *= 2
    },
    points: () => [...points].sort((a, b) => a[0] - b[0]),
  }
}

function mean(a: readonly [number, number], b: readonly [number, number]): [number, number] {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
}

/** A running mean over about one part in `parts` of the curve, at least three points: the trend under the noise. */
export function smooth(curve: Curve, parts = 25): Curve {
  const reach = Math.max(1, Math.round(curve.length / parts / 2))
  if (curve.length < 8) return curve
  return curve.map(([x], i) => {
    const window = curve.slice(Math.max(0, i - reach), i + reach + 1)
    return [x, window.reduce((sum, point) => sum + point[1], 0) / window.length]
  })
}
