import { click } from './click.js'
import { dpo } from './dpo.js'
import { ipo } from './ipo.js'
import { iterativeDpo } from './iterative-dpo.js'
import { nashMd } from './nash-md.js'
import { oaif } from './oaif.js'
import { rejectionSampling } from './rejection-sampling.js'
import { rest } from './rest.js'
import { rlaif } from './rlaif.js'
import { rlhf } from './rlhf.js'
import { rrhf } from './rrhf.js'
import { rso } from './rso.js'
import type { Scenario } from './scenario.js'
import { selfRewarding } from './self-rewarding.js'
import { slicHf } from './slic-hf.js'
import { spin } from './spin.js'
import { xpo } from './xpo.js'

export { defineMethod, type Method } from './method.js'
export type { MethodTraits, RunOptions, Scenario } from './scenario.js'
export { type Summary, summarySchema } from './summary.js'
export { worlds } from './worlds/index.js'

const all: readonly Scenario[] = [
  selfRewarding as unknown as Scenario,
  click,
  dpo,
  ipo,
  iterativeDpo,
  nashMd,
  oaif,
  rejectionSampling,
  rest,
  rlaif,
  rlhf,
  rrhf,
  rso,
  slicHf,
  spin,
  xpo,
]

/** Every scenario by its name, as `troupe run` knows them. */
export const scenarios: Readonly<Record<string, Scenario>> = Object.fromEntries(
  all.map((scenario) => [scenario.name, scenario]),
)
