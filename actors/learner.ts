import { concat, defer, filter, ignoreElements, map, merge, type Observable, ReplaySubject, tap } from 'rxjs'
import { defineActor, port } from '../runtime/kernel/actor.js'
import { learnerConfig } from './learner-config.js'
import type { CandidateBatch, DemonstrationBatch, JudgedBatch, ModelSnapshot } from './messages.js'
import { unwanted } from './state.js'
import { createTraining } from './training.js'

/** Candidates that are trained on as they are, without anybody's opinion. */
function unrated(batch: CandidateBatch): JudgedBatch {
  const groups = batch.groups.map((group) => ({
    ...group,
    judgments: group.completions.map(() => ({ verdicts: [], unreadable: 0 })),
    judgeVersion: { start: -1, end: -1 },
  }))
  return { ...batch, groups }
}

/**
 * Trains the policy: supervised on demonstrations (this makes M1), then by the configured objective on judged groups, an iteration
 * at a time. A version is one update; what is published is read by every follower. Groups are consumed in the order of their ids.
 * `reference` is M1, for those that need it beside the newest weights.
 */
export const learner = defineActor({
  module: import.meta.url,
  role: 'learner',
  inputs: {
    demonstrations: port<DemonstrationBatch>(),
    judged: port<JudgedBatch>({ optional: true }),
    candidates: port<CandidateBatch>({ optional: true }),
  },
  outputs: { snapshots: port<ModelSnapshot>(), reference: port<ModelSnapshot>() },
  config: learnerConfig,
  async start(context) {
    const training = await createTraining(context)
    const { turn, config } = context
    const reference = new ReplaySubject<ModelSnapshot>(config.references)

    function supervised(demonstrations: Observable<DemonstrationBatch>): Observable<ModelSnapshot> {
      return concat(
        demonstrations.pipe(
          turn(training.supervise, {
            name: 'sft',
            attributes: ({ demonstrations }) => ({ examples: demonstrations.length }),
          }),
          ignoreElements(),
        ),
        defer(() => turn.run('publish', training.finishSupervised)).pipe(
          tap((first) => {
            for (let copy = 0; copy < config.references; copy++) reference.next(first)
            reference.complete()
          }),
        ),
      )
    }

    function preferred(judged: Observable<JudgedBatch>): Observable<ModelSnapshot> {
      return training.intake.updates(judged).pipe(
        turn(training.update, {
          name: 'train',
          attributes: (batches) => ({
            update: batches[0]?.update ?? -1,
            prompts: batches.reduce((sum, { groups }) => sum + groups.length, 0),
          }),
        }),
        filter((snapshot) => snapshot !== undefined),
      )
    }

    return {
      streams({ demonstrations, judged, candidates }) {
        if (!training.supervising) {
          unwanted(demonstrations)
          reference.complete()
        }
        const first = training.supervising ? [supervised(demonstrations)] : []
        return { snapshots: concat(...first, preferred(merge(judged, candidates.pipe(map(unrated))))), reference }
      },
      api: { accounts: training.accounts },
      snapshot: training.snapshot,
      restore: training.restore,
      stop: training.dispose,
    }
  },
})
