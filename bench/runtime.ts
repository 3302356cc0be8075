import { type Bench, withMachine } from './figures.js'
import { askFigures } from './runtime/ask.js'
import { dispatchFigures } from './runtime/dispatch.js'
import { virtualFigures } from './runtime/kernel-turns.js'
import { messageFigures } from './runtime/messages.js'
import { startFigures } from './runtime/start.js'

/** The runtime beside bare worker threads and ports, and beside nact, in alternating rounds. About two minutes. */
export const runtime: Bench = {
  title:
    'messages, questions, moved buffers, starts and virtual turns, against bare worker threads and ports, and against nact',
  async run({ log }) {
    return withMachine([
      ...(await startFigures(log)),
      ...(await askFigures(log)),
      ...(await messageFigures(log)),
      ...(await dispatchFigures(log)),
      ...(await virtualFigures(log)),
    ])
  },
}
