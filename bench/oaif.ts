import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunEvent } from '../runtime/index.js'
import { oaif as scenario } from '../scenarios/oaif.js'
import { type Bench, type BenchFigure, withMachine } from './figures.js'
import { SHAPE } from './oaif/world.js'
import { SIZES } from './tensor/model.js'
import { beside } from './tensor/peer.js'

const JOB = { prompts: 32, warmup: 8, updates: 40, temperature: 0.9, beta: 0.1, learningRate: 1e-4 } as const
const THREADS = 2

/**
 * Online DPO: the scenario `oaif`, its roles in worker threads, against TRL's online DPO trainer. The same model, batch,
 * lengths, loss, optimizer and number of updates on both sides; see bench/peers/trl_online_dpo.py for the other. Ours also
 * rates each pair in both orders, publishes weights and keeps its books. Warm-up (compilation) is left out on both sides.
 */
export const oaif: Bench = {
  title: 'online DPO: updates a second, against TRL’s online DPO trainer where Python has it',
  async run({ log }) {
    const { name, ...model } = SIZES.small
    const spec = { ...model, ...SHAPE, ...JOB, threads: THREADS }
    const figures: BenchFigure[] = []
    for (const [lag, bar, aim] of [
      [1, 1.5, 4],
      [0, null, null],
    ] as const) {
      const figure = {
        name: `online DPO, ${name}, ${JOB.prompts} × 2 × ${SHAPE.newTokens} tokens, lag at most ${lag}`,
        ...(await beside('trl_online_dpo.py', spec, 'OnlineDPOTrainer', () => updatesPerSecond(lag), RATE)),
        ...{ bar, aim },
      }
      log(`${figure.name}: ${figure.ours.toFixed(2)} updates/s, other side ${figure.other ?? figure.against}`)
      figures.push(figure)
    }
    return withMachine(figures)
  },
}

const RATE = { key: 'updatesPerSecond', unit: 'updates/s' } as const

/** From the end of the last update of the warm-up to the end of the last one. */
async function updatesPerSecond(lag: 0 | 1): Promise<number> {
  const out = await mkdtemp(join(tmpdir(), 'troupe-bench-oaif-'))
  const ends: number[] = []
  const observe = (event: RunEvent) => {
    if (event.type === 'metric' && event.name === 'learner/version') ends.push(event.at)
  }
  try {
    const config = scenario.config.parse(configOf(lag))
    const { signal } = new AbortController()
    await scenario.run({ config, seed: 1, stage: 'threads', backend: 'onnx', out, observe, signal })
  } finally {
    await rm(out, { recursive: true, force: true })
  }
  const [first, last] = [ends[JOB.warmup - 1], ends[JOB.warmup + JOB.updates - 1]]
  if (first === undefined || last === undefined) throw new Error(`only ${ends.length} updates were seen`)
  return (1000 * JOB.updates) / (last - first)
}

function configOf(lag: 0 | 1): Record<string, unknown> {
  const { width, intermediate, layers, heads } = SIZES.small
  const module = new URL('./oaif/world.js', import.meta.url).href
  return {
    ...{ world: { module }, annotator: { module }, gold: { module } },
    model: { hiddenSize: width, intermediateSize: intermediate, layers, heads, kvHeads: heads },
    demonstrations: { ift: 0 },
    iterations: [JOB.prompts * (JOB.warmup + JOB.updates)],
    ...{ promptsPerUpdate: JOB.prompts, batchSize: JOB.prompts },
    // Every update is published: with a lag of 1 the sampler is always one version behind, and never waits.
    staleness: { max: lag, publishEvery: 1 },
    sampler: { sampling: { temperature: JOB.temperature, topP: 1, topK: 0 } },
    loss: { name: 'dpo', beta: JOB.beta },
    training: { optimizer: { learningRate: JOB.learningRate, warmupSteps: 0, schedule: 'constant' } },
    evaluation: { prompts: 2, samples: 1 },
    // Sampler and learner work side by side where a lag allows it, else one after the other.
    engine: { threads: lag === 0 ? THREADS : 1 },
    journal: { everyMs: 0 },
  }
}
