import type { RunEvent } from '../../runtime/observe/events.js'
import { isVirtual } from '../../runtime/observe/run-time.js'
import { plainView } from './plain.js'
import { absorb, liveState, type RunFacts } from './state.js'
import { line } from './text.js'
import { renderLive, type ViewSize } from './view.js'

/** Where a run is shown while it goes on. */
export interface Display {
  observe(event: RunEvent): void
  /** Says that the run was asked to stop. */
  stopping(): void
  /** Draws the last state and stops drawing. */
  end(): void
}

export interface DisplayOptions {
  readonly facts: RunFacts
  readonly stream: NodeJS.WriteStream
  readonly now: () => number
}

/** Redraws at most eight times a second. */
const FRAME_MS = 125
const PLAIN_TICK_MS = 500

/** The live view on a terminal, plain lines elsewhere. */
export async function openDisplay(options: DisplayOptions): Promise<Display> {
  return options.stream.isTTY ? openScreen(options) : openPlain(options)
}

async function openScreen({ facts, stream, now }: DisplayOptions): Promise<Display> {
  const { createLogUpdate } = await import('log-update')
  const screen = createLogUpdate(stream)
  const state = liveState(facts)
  const size = (): ViewSize => ({
    columns: (stream.columns || 80) - 1,
    rows: stream.rows || 24,
    colour: stream.hasColors(),
  })
  const draw = () => screen(renderLive(state, now(), size()).join('\n'))
  draw()
  const timer = setInterval(draw, FRAME_MS)
  return {
    observe(event) {
      absorb(state, event, now())
      if (event.type !== 'log' || (event.level !== 'warn' && event.level !== 'error')) return
      const text = `${event.level}: ${event.actor.name}: ${event.message}`
      screen.persist(line([{ text, style: event.level === 'warn' ? 'yellow' : 'red' }], 1000, stream.hasColors()))
    },
    stopping() {
      state.stopping = true
      draw()
    },
    end() {
      clearInterval(timer)
      draw()
      screen.done()
    },
  }
}

function openPlain({ facts, stream, now }: DisplayOptions): Display {
  const state = liveState(facts)
  const view = plainView(state)
  const print = (lines: readonly string[]) => {
    if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
  }
  const times = isVirtual(facts) ? ' (times are virtual)' : ''
  print([
    `${facts.scenario} ${facts.preset}, seed ${facts.seed}, ${facts.stage}, ${facts.backend} -> ${facts.out}${times}`,
  ])
  const timer = setInterval(() => print(view.tick(now())), PLAIN_TICK_MS)
  return {
    observe(event) {
      absorb(state, event, now())
      print(view.lines(event))
    },
    stopping: () => print(['stopping (once more to stop at once)']),
    end() {
      clearInterval(timer)
      print(view.tick(now()))
    },
  }
}
