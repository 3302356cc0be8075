import { type PreferenceLossChoice, preferenceLoss } from '../alignment/index.js'
import { TroupeError } from '../runtime/index.js'
import type { MethodConfig } from './method-config.js'
import type { Arrangement } from './method-plan.js'

/** `E_CONFIG` where parts of a wiring do not go together. */
export function checkArrangement(config: MethodConfig, arrangement: Arrangement): void {
  checkReplicas(config, arrangement)
  checkCorrection(arrangement)
  checkLoss(arrangement)
  checkBaseline(arrangement)
}

/** Importance weights are of what the policy itself wrote, for objectives that have them. */
function checkCorrection({ rater, writers, training }: Arrangement): void {
  for (const { objective = 'preference', correction } of training) {
    if ((correction?.kind ?? 'none') === 'none') continue
    const isOwn = rater !== 'people' && writers.every(({ by }) => by === 'policy')
    if (isOwn && (objective === 'preference' || objective === 'reinforce')) continue
    const why = isOwn
      ? `the objective ${objective} has no importance weights`
      : 'not only the policy wrote the completions'
    throw new TroupeError('E_CONFIG', `training.correction.kind is ${correction?.kind}, but ${why}`, {
      where: 'training.correction.kind',
      hint: 'Leave it at none',
    })
  }
}

/** A loss with its parameters, and with what it asks of the pairs: said now, not once M1 is trained. */
function checkLoss({ rater, writers, training }: Arrangement): void {
  for (const { objective = 'preference', loss } of training) {
    if (objective !== 'preference') continue
    const { name, needs } = preferenceLoss(loss as PreferenceLossChoice)
    if (!needs.includes('referenceSide') || (rater !== 'people' && writers.some(({ by }) => by === 'first'))) continue
    throw new TroupeError(
      'E_CONFIG',
      `loss ${name} needs the first model to write one of the completions of each pair`,
      {
        where: 'sampler.writers',
        hint: 'Set sampler.writers=[{"by":"policy"},{"by":"first"}] with a rater that compares',
      },
    )
  }
}

/** The only completion of a prompt has no others to be compared with: every advantage would be 0. */
function checkBaseline({ writers, training }: Arrangement): void {
  const own = writers.find(({ by }) => by === 'policy')?.n ?? 0
  const isAlone = training.some(
    ({ objective, policy }) => objective === 'reinforce' && (policy?.baseline ?? 'leave-one-out') === 'leave-one-out',
  )
  if (isAlone && own === 1)
    throw new TroupeError(
      'E_CONFIG',
      `the baseline leave-one-out has nothing to go by: the policy writes 1 completion`,
      {
        where: 'training.policy.baseline',
        hint: 'Let it write several (sampler.writers), or set training.policy.baseline=mean',
      },
    )
}

/** Each of several replicas would have to be given what only one can get. */
function checkReplicas(config: MethodConfig, { rater }: Arrangement): void {
  if (config.raters > 1 && rater === 'reward-model')
    throw new TroupeError('E_CONFIG', `${config.raters} reward models would each be trained on a part of the data`, {
      where: 'raters',
      hint: 'Use one reward model; annotators may be several',
    })
}
