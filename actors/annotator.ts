import { z } from 'zod'
import { type ActorContext, defineActor, port } from '../runtime/kernel/actor.js'
import { loadAnnotator } from './annotator-module.js'
import { labelGroups, labelSchema } from './labelling.js'
import type { CandidateBatch, JudgedBatch, JudgedGroup } from './messages.js'
import type { Rater } from './rater.js'
import { noRatings, ratingCountsSchema, reportRatings } from './rating-counts.js'
import { type RemoteConfig, remoteSchema, shareOf } from './remote-config.js'
import { moduleSchema } from './shared.js'
import { readState } from './state.js'

const config = z
  .strictObject({
    annotator: moduleSchema.optional().describe('an annotator to import: the world’s, or one’s own'),
    remote: remoteSchema.optional().describe('or a language model behind an OpenAI-compatible API'),
    label: labelSchema.describe('how candidates are rated'),
  })
  .refine(({ annotator, remote }) => (annotator === undefined) !== (remote === undefined), {
    message: 'give either an annotator or a remote one',
    path: ['annotator'],
  })

/** No version of the policy. */
const OUTSIDE = { start: -1, end: -1 } as const

/**
 * An annotator from outside of the policy rates candidates: the world's (it stands for the people, or the larger model, that a
 * method names), or a remote model. What it does not say is counted, never made up. `remote.budget` and
 * `remote.requestsPerMinute` are those of all replicas together.
 */
export const annotator = defineActor({
  module: import.meta.url,
  role: 'annotator',
  inputs: { candidates: port<CandidateBatch>() },
  outputs: { judged: port<JudgedBatch>() },
  config,
  async start({ self, config, random, turn, signal, metric, progress }) {
    const rater = await openRater(config, self, signal)
    const counts = noRatings()

    async function annotate(batch: CandidateBatch): Promise<JudgedBatch> {
      const labelled = await labelGroups(rater, batch.groups, config.label, random)
      reportRatings('annotator', counts, labelled, metric)
      progress('annotating', counts.judged, undefined, 'answers')
      const groups = batch.groups.map((group, i): JudgedGroup => {
        const { judgments = [], comparisons } = labelled[i] ?? {}
        return { ...group, judgments, ...(comparisons ? { comparisons } : {}), judgeVersion: OUTSIDE }
      })
      return { ...batch, groups }
    }

    return {
      streams: ({ candidates }) => ({
        judged: candidates.pipe(
          turn(annotate, {
            attributes: ({ id, iteration, groups }) => ({ batch: id, iteration, prompts: groups.length }),
          }),
        ),
      }),
      api: { counts: () => counts },
      snapshot: () => ({ ...counts }),
      restore: (state) => void Object.assign(counts, readState('annotator', ratingCountsSchema, state)),
      setAside(_input, message) {
        const batch = message as CandidateBatch
        const abandoned = [...(batch.abandoned ?? []), ...batch.groups.map(({ promptId }) => promptId)]
        return { judged: { ...batch, groups: [], abandoned } satisfies JudgedBatch }
      },
    }
  },
})

async function openRater(
  { annotator, remote }: z.output<typeof config>,
  self: ActorContext<never>['self'],
  signal: AbortSignal,
): Promise<Rater> {
  if (annotator) return loadAnnotator(annotator)
  const { createRemoteAnnotator } = await import('./remote-annotator.js') // its client takes long to load
  return createRemoteAnnotator(shareOf(remote as RemoteConfig, self.replica, self.replicas), { signal })
}
