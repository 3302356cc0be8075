import { isDeepStrictEqual } from 'node:util'
import { methodCosts } from './method-costs.js'
import type { Arrangement } from './method-plan.js'
import type { RuntimeConfig } from './runtime-config.js'

/** The roles of a run that is wired so. */
function rolesOf({ rater, rewardModel }: Arrangement): ReadonlySet<string> {
  const labels = rater === 'reward-model' ? rewardModel.labels : undefined
  return new Set([
    ...['source', 'learner', 'evaluator'],
    ...(rater === 'people' ? [] : ['prompt-source', 'sampler']),
    ...(rater === 'people' || labels === 'people' ? ['preference-source'] : []),
    ...(rater === 'annotator' || labels === 'annotator' ? ['annotator'] : []),
    ...(rater === 'reward-model' ? ['reward-model'] : []),
  ])
}

/** Costs without the default ones of roles that this run has not: of nobody, they would be refused as a mistake of the user's. */
export const costsOf = (costs: RuntimeConfig['costs'], arrangement: Arrangement): RuntimeConfig['costs'] =>
  costsOfRoles(costs, methodCosts, rolesOf(arrangement))

/** The same of any scenario, by its default costs and the roles of the run. */
export function costsOfRoles(
  costs: RuntimeConfig['costs'],
  defaults: Readonly<Record<string, unknown>>,
  roles: ReadonlySet<string>,
): RuntimeConfig['costs'] {
  return Object.fromEntries(
    Object.entries(costs).filter(
      ([key, cost]) => roles.has(key.split(':')[0] as string) || !isDeepStrictEqual(cost, defaults[key]),
    ),
  )
}
