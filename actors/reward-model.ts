import { concat, defer, ignoreElements, type Observable, take, throwIfEmpty } from 'rxjs'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { CandidateBatch, JudgedBatch, ModelSnapshot } from './messages.js'
import { rewardModelConfig } from './reward-config.js'
import { createRewardPhases } from './reward-phases.js'
import { unwanted } from './state.js'

/**
 * A reward model, trained in its own actor on comparisons of people (or of whoever sends `pairs`), and then the rater of the
 * policy's candidates. It begins as the first model that comes at `reference`, or from scratch; it trains until `pairs` ends,
 * never follows the policy, and never trains again. Candidates that come before wait in their channel.
 */
export const rewardModel = defineActor({
  module: import.meta.url,
  role: 'reward-model',
  inputs: {
    reference: port<ModelSnapshot>({ optional: true }),
    pairs: port<JudgedBatch>(),
    candidates: port<CandidateBatch>(),
  },
  outputs: { judged: port<JudgedBatch>() },
  config: rewardModelConfig,
  async start(context) {
    const phases = await createRewardPhases(context)
    const { config, turn } = context

    function begun(reference: Observable<ModelSnapshot>): Observable<never> {
      return reference.pipe(
        take(1),
        throwIfEmpty(
          () =>
            new TroupeError('E_CONFIG', 'no model came for the reward model to begin as', {
              where: 'init',
              hint: 'Connect its input reference, or set init to scratch',
            }),
        ),
        turn(phases.beginAs, { name: 'begin' }),
        ignoreElements(),
      )
    }

    function trained(pairs: Observable<JudgedBatch>): Observable<never> {
      return concat(
        phases.intake.updates(pairs).pipe(
          turn(phases.train, {
            name: 'reward training',
            attributes: (batches) => ({ prompts: batches.reduce((sum, { groups }) => sum + groups.length, 0) }),
          }),
        ),
        defer(() => turn.run('measure', phases.finish)),
      ).pipe(ignoreElements())
    }

    return {
      streams({ reference, pairs, candidates }) {
        const waits = config.init === 'policy' && !phases.begun
        if (!waits) unwanted(reference)
        if (phases.finished) unwanted(pairs)
        const rated = candidates.pipe(
          turn(phases.rate, {
            name: 'rating',
            attributes: ({ id, iteration, groups }) => ({ batch: id, iteration, prompts: groups.length }),
          }),
        )
        return {
          judged: concat(...(waits ? [begun(reference)] : []), ...(phases.finished ? [] : [trained(pairs)]), rated),
        }
      },
      api: { counts: phases.counts, accuracy: phases.accuracy },
      snapshot: phases.snapshot,
      restore: phases.restore,
      setAside: phases.setAside,
      stop: phases.dispose,
    }
  },
})
