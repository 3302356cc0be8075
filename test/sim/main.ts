import { parseArgs } from 'node:util'
import { DEFECTS } from './defects.js'
import { Hunt } from './hunt.js'
import { drawPlan } from './plan.js'
import { SOMETIMES } from './reached.js'
import { type Simulated, simulate } from './simulate.js'

/** Every so many seeds, one is run twice. */
const AGAIN_EVERY = 50
/** So many seeds reach everything that must be reached. */
const ENOUGH = 300
/** Longest search for one defect. */
const DEFECT_MS = 240_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '0' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    defects: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function fail({ plan, violation, last }: Simulated): void {
  const { seed, mode, nodes, edges } = plan
  say(`seed ${seed} (${mode}): ${violation?.invariant}: ${violation?.what}`)
  say(
    `actors: ${nodes.map(({ name, replicas, under }) => `${name}×${replicas}${under ? ` under ${under}` : ''}`).join(', ')}`,
  )
  say(`connections: ${edges.map(({ from, to, credits }) => `${from} -> ${to} (${credits})`).join(', ')}`)
  for (const line of last) say(`  ${line.length > 240 ? `${line.slice(0, 240)}…` : line}`)
  say(`replay it with: npm run sim -- --seed ${seed} --trace`)
  process.exitCode = 1
}

/** One seed; run twice where the runs are to be compared. */
async function one(seed: number, twice: boolean): Promise<Simulated> {
  const first = await simulate(seed, values.trace)
  if (!twice || first.violation) return first
  const { hash } = await simulate(seed)
  if (hash === first.hash) return first
  const violation = { invariant: 'the same seed gives the same run', what: `${first.hash} and ${hash}` }
  return { ...first, violation }
}

async function many(): Promise<void> {
  const reached = new Map<string, number>()
  const begun = performance.now()
  const until = values.minutes === undefined ? Number.POSITIVE_INFINITY : begun + Number(values.minutes) * 60_000
  const from = Number(values.from)
  const most = values.minutes === undefined ? Number(values.seeds) : Number.POSITIVE_INFINITY
  let seeds = 0
  let steps = 0
  for (; seeds < most && performance.now() < until; seeds++) {
    const simulated = await one(from + seeds, seeds % AGAIN_EVERY === 0)
    steps += simulated.steps
    for (const [what, times] of simulated.reached) reached.set(what, (reached.get(what) ?? 0) + times)
    if (!simulated.violation) continue
    if (values.json) say(JSON.stringify({ seeds: seeds + 1, ...simulated.violation }))
    else fail(simulated)
    process.exitCode = 1
    return
  }
  if (values.json) return say(JSON.stringify({ seeds }))
  const seconds = (performance.now() - begun) / 1000
  say(
    `${seeds} seeds, from ${from} on, without a violation: ${(seeds / seconds).toFixed(1)} seeds/s, ${Math.round(steps / seconds)} steps/s`,
  )
  for (const what of SOMETIMES) say(`  ${String(reached.get(what) ?? 0).padStart(8)}  ${what}`)
  const never = SOMETIMES.filter((what) => !reached.has(what))
  if (never.length === 0 || seeds < ENOUGH) return
  say(`never reached: ${never.join('; ')}`)
  process.exitCode = 1
}

async function defects(): Promise<void> {
  const hunt = new Hunt()
  const chosen = DEFECTS.filter(({ name }) => values.only === undefined || name.includes(values.only))
  let missed = 0
  try {
    for (const each of chosen) {
      const { seeds, invariant } = await hunt.find(each, { seeds: Number(values.seeds), timeoutMs: DEFECT_MS })
      if (seeds === undefined) missed++
      say(`${(seeds === undefined ? 'MISSED' : String(seeds)).padStart(6)}  ${each.name}: ${invariant}`)
    }
  } finally {
    hunt.close()
  }
  say(`${chosen.length - missed} of ${chosen.length} defects were found`)
  if (missed > 0) process.exitCode = 1
}

if (values.seed !== undefined) {
  if (values.trace) say(JSON.stringify(drawPlan(Number(values.seed)), undefined, 1))
  const simulated = await one(Number(values.seed), true)
  if (simulated.violation) fail(simulated)
  else say(`seed ${values.seed}: no violation, trace ${simulated.hash}`)
} else if (values.defects) await defects()
else await many()
process.exit()
