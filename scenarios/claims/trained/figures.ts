import type { ArmResult } from '../arms.js'
import type { Figures, Trial } from '../claim.js'

/** The figure of that name. */
export const figure =
  (name: string) =>
  (figures: Figures): number =>
    figures[name] ?? Number.NaN

/** One figure less another. */
export const less =
  (a: string, b: string) =>
  (figures: Figures): number =>
    figure(a)(figures) - figure(b)(figures)

/** Mean gold score of M1, M2, … in turn. */
export const goldOf = ({ summary }: ArmResult): number[] =>
  summary.iterations.map(({ goldScore }) => goldScore ?? Number.NaN)

export const lastGold = (arm: ArmResult): number => goldOf(arm).at(-1) ?? Number.NaN

export const lengthsOf = ({ summary }: ArmResult): number[] => summary.iterations.map(({ meanLength }) => meanLength)

/** `<name>1`, `<name>2`, … */
export const numbered = (name: string, values: readonly number[]): Figures =>
  Object.fromEntries(values.map((value, i) => [`${name}${i + 1}`, value]))

/** The means of a metric over equal parts of a run, in their order. */
export function partsOf({ metrics }: ArmResult, name: string, parts: number): number[] {
  const values = metrics[name] ?? []
  return Array.from({ length: parts }, (_, i) => {
    const part = values.slice(Math.round((i * values.length) / parts), Math.round(((i + 1) * values.length) / parts))
    return part.length === 0 ? Number.NaN : part.reduce((sum, value) => sum + value, 0) / part.length
  })
}

/** `count` iterations of `prompts` each, at the trial's scale. */
export const rounds = ({ scale }: Pick<Trial, 'scale'>, count: number, prompts: number): number[] =>
  new Array<number>(count).fill({ tiny: 32, quick: prompts, full: 3 * prompts }[scale])
