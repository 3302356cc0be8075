import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { meanInterval } from '../alignment/index.js'
import { TroupeError } from '../runtime/index.js'
import { type Summary, scenarios } from '../scenarios/index.js'
import { commit, machine } from './figures.js'
import { type Arm, armOf, type Outcome, outcomeOf } from './methods/arms.js'
import { methodsPage } from './methods/page.js'

// npm run methods -- [--seeds 3] [--out folder] [--write docs/results/methods.md] [scenario[:key=value[;…]] …]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '3' },
    out: { type: 'string', default: 'runs/methods' },
    write: { type: 'string' },
  },
})
const seeds = Number(values.seeds)
if (!Number.isSafeInteger(seeds) || seeds < 1)
  throw new TroupeError('E_CONFIG', `--seeds must be a whole number of at least 1, not "${values.seeds}"`)
const arms: readonly Arm[] = (positionals.length > 0 ? positionals : Object.keys(scenarios)).map(armOf)
const now = commit()
const main = fileURLToPath(new URL('../cli/main.js', import.meta.url))
/** A quick run takes one or two minutes; one that has not ended by then hangs. */
const DEADLINE_MS = 1_800_000
mkdirSync(values.out, { recursive: true })
const ledger = join(values.out, 'outcomes.jsonl')
const known: Outcome[] = existsSync(ledger)
  ? readFileSync(ledger, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Outcome)
  : []

for (let seed = 1; seed <= seeds; seed++)
  for (const arm of arms) {
    if (known.some((outcome) => outcome.arm === arm.name && outcome.seed === seed)) continue
    const out = join(values.out, `${arm.name.replaceAll(/[^\w.=-]+/g, '_')}-${seed}`)
    const settings = arm.settings.flatMap((setting) => ['--set', setting])
    const command = ['run', arm.scenario, '--seed', `${seed}`, '--out', out, '--json', ...settings]
    const text = execFileSync(process.execPath, [main, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'], // what it says of a failure is in the error
      maxBuffer: 2 ** 28,
      timeout: DEADLINE_MS,
    })
    const outcome = outcomeOf(arm, seed, now, JSON.parse(text) as Summary)
    known.push(outcome)
    appendFileSync(ledger, `${JSON.stringify(outcome)}\n`)
    const { gain, seconds } = outcome
    process.stderr.write(`${arm.name} seed ${seed}: gold +${gain.toFixed(2)} in ${seconds.toFixed(0)} s\n`)
  }

for (const arm of arms) {
  const own = known.filter((outcome) => outcome.arm === arm.name && outcome.seed <= seeds)
  const { mean, low, high } = meanInterval(own.map(({ gain }) => gain))
  const most = Math.max(...own.map(({ seconds }) => seconds))
  process.stdout.write(
    `${arm.name.padEnd(40)} ${mean.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]  at most ${most.toFixed(0)} s\n`,
  )
}
if (values.write) writeFileSync(values.write, methodsPage(known, arms, machine()))
