import type { ActorIdentity, RunEvent } from '../runtime/index.js'

const RUN: ActorIdentity = { name: 'run', role: 'run', replica: 0 }

/**
 * What a prompt costs beside a demonstration, from invention to update, measured on two cores: a prompt is invented,
 * answered 4 times, judged 12 times and trained on. It shapes the estimate of the time left and nothing else.
 */
const DEMONSTRATIONS_PER_PROMPT = 17

/** Turns the learner's progress into progress of the whole run, for the time left. */
export function createWholeRun(
  plan: { readonly demonstrations: number; readonly prompts: number },
  observe: (event: RunEvent) => void,
) {
  const total = plan.demonstrations + DEMONSTRATIONS_PER_PROMPT * plan.prompts
  return (event: RunEvent): void => {
    if (event.type !== 'progress' || event.actor.role !== 'learner') return
    const supervised = event.phase === 'sft'
    const done = supervised ? event.done : plan.demonstrations + DEMONSTRATIONS_PER_PROMPT * event.done
    observe({ type: 'progress', actor: RUN, at: event.at, phase: 'run', done, total, unit: 'steps' })
  }
}
