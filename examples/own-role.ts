import { isMainThread } from 'node:worker_threads'
import { z } from 'zod'
import { createTroupe, defineActor, port } from '../runtime/index.js' // yours: from 'troupe/runtime'

/** Writes answers down, one message each. */
export const writer = defineActor({
  module: import.meta.url, // where a thread finds the role
  role: 'writer',
  inputs: {},
  outputs: { answers: port<string>() },
  config: z.strictObject({ answers: z.array(z.string()).describe('what it writes') }),
  start: ({ config, turn }) => ({
    streams: () => ({ answers: turn.generate('write', () => config.answers.values()) }),
  }),
})

/** Scores each answer by its words, and can be asked for the best. */
export const critic = defineActor({
  module: import.meta.url,
  role: 'critic',
  inputs: { answers: port<string>() },
  outputs: { scores: port<number>() },
  config: z.strictObject({ enough: z.int().min(1).default(3).describe('words that earn the whole point') }),
  start({ config, turn }) {
    let best = { answer: '', score: 0 }
    const score = (answer: string) => {
      const score = Math.min(1, answer.split(' ').length / config.enough)
      if (score > best.score) best = { answer, score }
      return score
    }
    return { streams: ({ answers }) => ({ scores: answers.pipe(turn(score)) }), api: { best: () => best } }
  },
})

if (isMainThread) {
  const troupe = createTroupe({ stage: 'threads', seed: 1 })
  const writers = troupe.actor(writer, { config: { answers: ['oak', 'oak fig', 'oak fig elm'] } })
  const critics = troupe.actor(critic, { config: { enough: 4 } })
  troupe.connect(writers.outputs.answers, critics.inputs.answers)
  await troupe.start()
  await troupe.done
  process.stdout.write(`${JSON.stringify(await critics.ask.best())}\n`)
  await troupe.stop()
}
