import { setTimeout as delay } from 'node:timers/promises'
import { realClock } from '../../runtime/time/clock.js'
import { EXIT } from '../exit.js'
import type { ViewSize } from '../live/view.js'
import type { TopArguments } from '../program.js'
import { lifeOf, readStatus } from '../top/read.js'
import { lifeSentence, renderTop } from '../top/view.js'

/** A status is written about once a second. */
const POLL_MS = 500

const { now } = realClock
const out = process.stdout

/**
 * `troupe top`: draws a run that another process writes, until it ends; once, where that is asked for or stdout is no
 * terminal. Resolves to 0, or to 1 where the run's process is gone without a word.
 */
export async function top(folder: string, { once, json }: TopArguments): Promise<number> {
  if (json) return tell(folder, () => `${JSON.stringify(readStatus(folder), null, 2)}\n`)
  if (once || !out.isTTY) return tell(folder, () => `${frame(folder).lines.join('\n')}\n`)
  const { createLogUpdate } = await import('log-update')
  const screen = createLogUpdate(out)
  for (;;) {
    const { lines, over } = frame(folder)
    screen(lines.join('\n'))
    if (over) break
    await delay(POLL_MS)
  }
  screen.done()
  return exitCode(folder)
}

function tell(folder: string, text: () => string): number {
  out.write(text())
  return exitCode(folder)
}

function exitCode(folder: string): number {
  return lifeOf(readStatus(folder), now()) === 'dead' ? EXIT.failed : EXIT.done
}

function frame(folder: string): { lines: string[]; over: boolean } {
  const status = readStatus(folder)
  const life = lifeOf(status, now())
  const sentence = lifeSentence(status, life, now())
  const lines = renderTop(status, life, now(), size())
  return { lines: sentence ? [...lines, '', sentence] : lines, over: life !== 'running' && life !== 'silent' }
}

/** A pipe has no width: nothing is cut there. */
function size(): ViewSize {
  if (!out.isTTY) return { columns: 1000, rows: 1000, colour: false }
  return { columns: (out.columns || 80) - 1, rows: out.rows || 24, colour: out.hasColors() }
}
