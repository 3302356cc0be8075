import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunEvent } from '../runtime/index.js'
import type { Summary } from '../scenarios/index.js'
import { selfRewarding } from '../scenarios/self-rewarding.js'
import { type Bench, type BenchFigure, withMachine } from './figures.js'

interface Timing {
  readonly summary: Summary
  readonly wholeMs: number
  /** From the first published model (M1) to the end of training: prompts, samples, judgments and updates. */
  readonly onlineMs: number
}

/** As `full` online, with fewer demonstrations before: that part is one learner's work on any stage. */
const CONFIG = {
  demonstrations: { ift: 16_000, eft: 16_000, prompts: 6_000 },
  iterations: [1536, 1968],
  evaluation: selfRewarding.presets.quick?.evaluation,
}

/** The same run, with the same number of updates, in one thread and in worker threads. */
export const concurrency: Bench = {
  title: 'self-rewarding: worker threads against one thread',
  async run({ log }) {
    log('stage inline: every actor in this thread, one after another')
    const inline = await time('inline')
    log(`inline: ${(inline.wholeMs / 1000).toFixed(1)} s, online part ${(inline.onlineMs / 1000).toFixed(1)} s`)
    log('stage threads: every actor in a worker thread of its own')
    const threads = await time('threads')
    log(`threads: ${(threads.wholeMs / 1000).toFixed(1)} s, online part ${(threads.onlineMs / 1000).toFixed(1)} s`)
    return withMachine([
      figure('online part, M1 to the last evaluation', threads.onlineMs, inline.onlineMs, 1.4),
      figure('whole run', threads.wholeMs, inline.wholeMs, null),
      {
        name: 'pairs trained on',
        unit: 'pairs',
        ours: threads.summary.samples.consumed,
        other: inline.summary.samples.consumed,
        against: 'stage inline',
        ratio: threads.summary.samples.consumed / inline.summary.samples.consumed,
        bar: 1,
        aim: null,
      },
    ])
  },
}

function figure(name: string, ours: number, other: number, bar: number | null): BenchFigure {
  return { name, unit: 'ms', ours, other, against: 'stage inline', ratio: other / ours, bar, aim: null }
}

async function time(stage: 'inline' | 'threads'): Promise<Timing> {
  const out = await mkdtemp(join(tmpdir(), `troupe-bench-${stage}-`))
  let first = 0
  let last = 0
  const observe = (event: RunEvent) => {
    if (event.type === 'metric' && event.name === 'learner/published_version' && event.value === 0) first = event.at
    if (event.type === 'span') last = Math.max(last, event.end)
  }
  try {
    const config = selfRewarding.config.parse(CONFIG)
    const signal = new AbortController().signal
    const summary = await selfRewarding.run({ config, seed: 1, stage, backend: 'onnx', out, observe, signal })
    return { summary, wholeMs: summary.durationMs, onlineMs: last - first }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}
