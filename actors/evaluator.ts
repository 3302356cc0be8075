import { defineActor, port } from '../runtime/kernel/actor.js'
import { createEvaluation, type Evaluation, evaluationConfig } from './evaluation.js'
import type { ModelSnapshot } from './messages.js'

/**
 * Measures each finished model beside training, on held-out prompts, by the gold scorer that no other role sees:
 * win rate, criteria, agreement of its judging with the gold order, length, and divergence from M1.
 */
export const evaluator = defineActor({
  module: import.meta.url,
  role: 'evaluator',
  inputs: { snapshots: port<ModelSnapshot>() },
  outputs: { evaluations: port<Evaluation>() },
  config: evaluationConfig,
  async start(context) {
    const bench = await createEvaluation(context)
    const { turn, config } = context
    return {
      streams: ({ snapshots }) => ({
        evaluations: snapshots.pipe(
          turn(bench.evaluate, { attributes: ({ version }) => ({ version, prompts: config.prompts }) }),
        ),
      }),
      api: { evaluations: () => bench.done },
      snapshot: bench.snapshot,
      restore: bench.restore,
      stop: bench.dispose,
    }
  },
})
