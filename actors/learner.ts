import { concat, defer, filter, ignoreElements, mergeMap, type Observable, tap } from 'rxjs'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { inOrder } from './in-order.js'
import { learnerConfig } from './learner-config.js'
import type { DemonstrationBatch, JudgedBatch, ModelSnapshot } from './messages.js'
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
    return {
      streams: ({ demonstrations, judged }) => ({
        snapshots: concat(
          demonstrations.pipe(turn(training.supervise, { name: 'sft' }), ignoreElements()),
          defer(() => turn.run('publish', training.finishSupervised)),
          judged.pipe(
            tap(training.receive),
            inOrder((batch) => batch.id),
            untilUpdate(),
            turn(training.update, { name: 'dpo', attributes: ([first]) => ({ update: first?.update ?? -1 }) }),
            filter((snapshot): snapshot is ModelSnapshot => snapshot !== undefined),
          ),
        ),
      }),
      api: { accounts: training.accounts },
      stop: training.dispose,
    }
  },
})

/** Gathers batches until the one that ends an update. */
function untilUpdate() {
  return (batches: Observable<JudgedBatch>) =>
    defer(() => {
      let held: JudgedBatch[] = []
      return batches.pipe(
        mergeMap((batch) => {
          held.push(batch)
          if (!batch.lastOfUpdate) return []
          const whole = held
          held = []
          return [whole]
        }),
      )
    })
}
