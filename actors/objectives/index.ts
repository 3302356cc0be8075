import { createImitation } from './imitation.js'
import type { Objective, ObjectiveContext } from './objective.js'
import { createPairs } from './pairs.js'
import { createPpo } from './ppo.js'
import { createRanking } from './ranking.js'
import { createReinforce } from './reinforce.js'

export type { Objective, ObjectiveState, UpdateResult } from './objective.js'

/** Opens what an iteration trains by. `E_CONFIG` where a loss is given parameters that it does not have. */
export function openObjective(context: ObjectiveContext): Objective {
  switch (context.training.objective) {
    case 'preference':
      return createPairs(context)
    case 'nll':
      return createImitation(context)
    case 'rank':
      return createRanking(context)
    case 'ppo':
      return createPpo(context)
    case 'reinforce':
    case 'nash-md':
      return createReinforce(context)
  }
}
