import type { RunEvent } from '../../runtime/observe/events.js'
import { metricPhrases } from './metrics.js'
import { type LiveState, ownTime, RUN_ROLE, timeLeft } from './state.js'
import { duration, figure, printable } from './text.js'

const STATUS_MS = 5000
/** Metrics of these actors are news: each gets a line of its own soon after it comes. */
const NEWS_ROLE = 'evaluator'
const STATUS_METRICS = 4

/** The live view where there is no terminal: a line now and then, and one whenever something changes. */
export interface PlainView {
  /** Lines to print at once because of this event; call after the state has absorbed it. */
  lines(event: RunEvent): string[]
  /** Lines that are due by now: the state every few seconds, and evaluations. */
  tick(now: number): string[]
}

export function plainView(state: LiveState): PlainView {
  const phases = new Map<string, string>()
  let statusAt = state.facts.startedAt
  let newsSince: number | undefined
  let told = false
  const starting = () => [...state.actors.values()].filter((row) => row.state === 'starting')
  const { since } = ownTime(state, state.facts.startedAt)
  /** Of the run's own time, as everything is that it says. */
  const stamp = (at: number, text: string) => `[${duration(at - since)}] ${printable(text)}`
  return {
    lines(event) {
      if (event.type === 'log' && event.level !== 'debug') {
        const level = event.level === 'info' ? '' : `${event.level}: `
        return [stamp(event.at, `${event.actor.name}: ${level}${event.message}`)]
      }
      if (event.type === 'state' && event.state === 'failed')
        return [stamp(event.at, `${event.actor.name} failed: ${event.error?.message ?? 'without a reason'}`)]
      if (event.type === 'state' && event.state === 'restarting')
        return [stamp(event.at, `${event.actor.name} is started again`)]
      if (event.type === 'aside')
        return [stamp(event.at, `${event.actor.name} set a message aside: ${event.error.message}`)]
      const { actors } = state
      if (
        event.type === 'state' &&
        event.state === 'ready' &&
        [...actors.values()].every((row) => row.state === 'ready')
      )
        return [stamp(event.at, `all ${actors.size} actors are ready`)]
      if (event.type === 'metric' && event.actor.role === NEWS_ROLE) newsSince ??= event.at
      if (event.type !== 'progress' || event.actor.role === RUN_ROLE || phases.get(event.actor.name) === event.phase)
        return []
      phases.set(event.actor.name, event.phase)
      const total = event.total === undefined ? '' : ` (${figure(event.total)} ${event.unit})`
      return [stamp(event.at, `${event.actor.name}: ${event.phase}${total}`)]
    },
    tick(machine) {
      const out: string[] = []
      const { now } = ownTime(state, machine)
      if (!told && starting().length > 0) {
        told = true
        out.push(
          stamp(
            now,
            `starting ${starting()
              .map((row) => row.actor.name)
              .join(', ')}`,
          ),
        )
      }
      if (newsSince !== undefined) {
        const news = metricPhrases(state, newsSince, NEWS_ROLE)
        newsSince = undefined
        out.push(stamp(now, `${NEWS_ROLE}: ${news.join(' · ')}`))
      }
      if (machine - statusAt >= STATUS_MS) {
        statusAt = machine
        out.push(stamp(now, status(state, machine)))
      }
      return out
    },
  }
}

function status(state: LiveState, now: number): string {
  const actors = [...state.actors.values()].flatMap((row) => {
    if (row.actor.role === RUN_ROLE || !row.progress || row.state !== 'ready') return []
    const { done, total, unit } = row.progress
    return `${row.actor.name} ${figure(done)}${total === undefined ? ` ${unit}` : `/${figure(total)}`}`
  })
  const left = timeLeft(state, now)
  const parts = [
    actors.join(', ') || 'starting',
    ...metricPhrases(state).slice(0, STATUS_METRICS),
    ...(left ? [`about ${duration(left.ms)} left${left.of ? ` in ${left.of}` : ''}`] : []),
  ]
  return parts.join(' · ')
}
