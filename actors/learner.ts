import { concat, defer, filter, ignoreElements, type Observable } from 'rxjs'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { learnerConfig } from './learner-config.js'
import type { DemonstrationBatch, JudgedBatch, ModelSnapshot } from './messages.js'
import { unwanted } from './state.js'
import { createTraining } from './training.js'

/**
 * Trains the policy: supervised on demonstrations (this makes M1), then DPO on judged groups, an iteration at a time.
 * A version is one update; what is published is read by every follower. Groups are consumed in the order of their ids.
 */
export const learner = defineActor({
  module: import.meta.url,
  role: 'learner',
  inputs: { demonstrations: port<DemonstrationBatch>(), judged: port<JudgedBatch>() },
  outputs: { snapshots: port<ModelSnapshot>() },
  config: learnerConfig,
  async start(context) {
    const training = await createTraining(context)
    const { turn } = context

    function supervised(demonstrations: Observable<DemonstrationBatch>): Observable<ModelSnapshot> {
      return concat(
        demonstrations.pipe(
          turn(training.supervise, {
            name: 'sft',
            attributes: ({ demonstrations }) => ({ examples: demonstrations.length }),
          }),
          ignoreElements(),
        ),
        defer(() => turn.run('publish', training.finishSupervised)),
      )
    }

    function preferred(judged: Observable<JudgedBatch>): Observable<ModelSnapshot> {
      return training.intake.updates(judged).pipe(
        turn(training.update, {
          name: 'dpo',
          attributes: (batches) => ({
            update: batches[0]?.update ?? -1,
            prompts: batches.reduce((sum, { groups }) => sum + groups.length, 0),
          }),
        }),
        filter((snapshot) => snapshot !== undefined),
      )
    }

    return {
      streams({ demonstrations, judged }) {
        if (!training.supervising) unwanted(demonstrations)
        const first = training.supervising ? [supervised(demonstrations)] : []
        return { snapshots: concat(...first, preferred(judged)) }
      },
      api: { accounts: training.accounts },
      snapshot: training.snapshot,
      restore: training.restore,
      stop: training.dispose,
    }
  },
})
