/** What a metric is: the row of `docs/metrics.md` that speaks of it. */
export interface MetricEntry {
  readonly name: string
  /** The role that reports it. */
  readonly role: string
  readonly unit: string
  readonly meaning: string
  /** Symbols: v the learner's version now, before the update; n the samples or tokens that it uses. */
  readonly formula: string
  /** Who else calls it so, or what others call it. */
  readonly field?: string
  /** Its value depends on how long things took: two runs of one seed differ in it. */
  readonly timed?: true
  /** Only some scenarios report it: those with its role, or that ask for it. */
  readonly optional?: true
}
