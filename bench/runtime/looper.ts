import { z } from 'zod'
import { defineActor } from '../../runtime/index.js'

/** Has empty turns without end: pulled by the gate, or in a loop of its own. */
export const looper = defineActor({
  module: import.meta.url,
  role: 'looper',
  inputs: {},
  outputs: {},
  config: z.strictObject({ own: z.boolean(), turns: z.int() }),
  start: ({ config: { own, turns }, turn }) => ({
    streams: () => {
      if (own) void loop(turns, () => turn.run('tick', () => {}))
      else turn.generate('tick', () => Array(turns).values()).subscribe()
      return {}
    },
  }),
})

async function loop(turns: number, tick: () => Promise<void>): Promise<void> {
  for (let i = 0; i < turns; i++) await tick()
}
