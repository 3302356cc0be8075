import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const DEADLINE_MS = 900_000

/** The repository, from `bench/tensor` or `dist/bench/tensor`. */
function scripts(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'bench', 'peers')) && dirname(folder) !== folder) folder = dirname(folder)
  return join(folder, 'bench', 'peers')
}

/** What a peer's script printed, or why there is nothing. */
type PeerResult = { readonly rate: number; readonly version: string } | { readonly absent: string }

/**
 * Runs a script of bench/peers in `TROUPE_PYTHON` (default python3) with a JSON argument; it prints one JSON line with
 * the rate under `key` and the versions of its libraries.
 */
async function peer(script: string, spec: object, key: string): Promise<PeerResult> {
  const python = process.env.TROUPE_PYTHON ?? 'python3'
  try {
    const { stdout } = await run(python, [join(scripts(), script), JSON.stringify(spec)], { timeout: DEADLINE_MS })
    const line = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
    const version = ['trl', 'transformers', 'torch']
      .flatMap((name) => (line[name] ? [`${name} ${line[name]}`] : []))
      .join(', ')
    return { rate: Number(line[key]), version }
  } catch (error) {
    const stderr = String((error as { stderr?: string }).stderr ?? '')
    const last = stderr.trim().split('\n').at(-1) || (error as Error).message.split('\n')[0]
    return {
      absent: `${python} cannot run ${script}: ${last}; set TROUPE_PYTHON to a Python with torch, transformers and (for oaif) trl`,
    }
  }
}

const ROUNDS = 3

/** Both sides in alternating rounds: medians, and the median of the rounds' ratios; null where the peer is absent. */
export async function beside(
  script: string,
  spec: object,
  what: string,
  measure: () => Promise<number>,
  { key, unit }: { readonly key: string; readonly unit: string } = { key: 'tokensPerSecond', unit: 'tokens/s' },
) {
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []]
  let against = ''
  for (let round = 0; round < ROUNDS; round++) {
    const other = await peer(script, spec, key)
    const own = await measure()
    ours.push(own)
    against = 'absent' in other ? other.absent : `${what} (${other.version})`
    if ('absent' in other) continue
    theirs.push(other.rate)
    ratios.push(own / other.rate)
  }
  const orNull = (values: number[]) => (values.length > 0 ? median(values) : null)
  return { unit, ours: median(ours), other: orNull(theirs), against, ratio: orNull(ratios) }
}

/** Milliseconds that `work` takes. */
export async function elapsedMs(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
