import { TroupeError } from '../runtime/kernel/errors.js'

/** One run of a sweep: the settings that are varied, as `--set` takes them, and a seed. */
export interface Combination {
  readonly settings: readonly string[]
  readonly seed: number
}

const MOST_RUNS = 1000

/** `key=a,b,c` as `key=a`, `key=b`, `key=c`; values that are JSON (lists, objects) may have commas of their own. */
function valuesOf(vary: string): string[] {
  const equals = vary.indexOf('=')
  const [key, text] = [vary.slice(0, equals), vary.slice(equals + 1)]
  if (equals < 1 || text.trim() === '')
    throw new TroupeError('E_CONFIG', `--vary ${JSON.stringify(vary)} is not of the form key=value,value,…`, {
      hint: 'Write for example --vary staleness.max=0,1,2',
    })
  return listed(text).map((value) => `${key}=${value}`)
}

function listed(text: string): string[] {
  try {
    return (JSON.parse(`[${text}]`) as unknown[]).map((value) => JSON.stringify(value))
  } catch {
    return text.split(',')
  }
}

/** Every combination of the values, each with `seeds` seeds from `firstSeed` on. */
export function combinationsOf(vary: readonly string[], firstSeed: number, seeds: number): Combination[] {
  let rows: string[][] = [[]]
  for (const each of vary) {
    const values = valuesOf(each)
    rows = rows.flatMap((row) => values.map((value) => [...row, value]))
    if (rows.length * seeds > MOST_RUNS)
      throw new TroupeError('E_CONFIG', `these are more than ${MOST_RUNS} runs`, { hint: 'Vary fewer things at once' })
  }
  return rows.flatMap((settings) => Array.from({ length: seeds }, (_, i) => ({ settings, seed: firstSeed + i })))
}

/** A name that a folder can have, and that sorts as the runs do. */
export function folderOf({ settings, seed }: Combination, index: number, count: number): string {
  const number = String(index + 1).padStart(String(count).length, '0')
  const told = [...settings, `seed=${seed}`]
    .join(' ')
    .replace(/[^\w.=-]+/g, '_')
    .slice(0, 100)
  return `${number}-${told}`
}
