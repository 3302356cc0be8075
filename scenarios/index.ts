import type { Scenario } from './scenario.js'
import { selfRewarding } from './self-rewarding.js'

export type { RunOptions, Scenario } from './scenario.js'
export { type Summary, summarySchema } from './summary.js'
export { worlds } from './worlds/index.js'

/** Every scenario by its name, as `troupe run` knows them. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  [selfRewarding.name]: selfRewarding as unknown as Scenario,
}
