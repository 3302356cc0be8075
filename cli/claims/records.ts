import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { TroupeError } from '../../runtime/kernel/errors.js'
import type { Figures } from '../../scenarios/claims/index.js'

const recordSchema = z.object({
  claim: z.string(),
  seed: z.int(),
  scale: z.enum(['quick', 'full', 'tiny']),
  backend: z.string(),
  commit: z.string(),
  machine: z.string(),
  /** When it began, ISO 8601. */
  at: z.string(),
  durationMs: z.number(),
  /** JSON has no NaN: a figure that could not be had is null. */
  figures: z.record(z.string(), z.number().nullable()),
})

/** What one experiment gave with one seed, and under which circumstances. */
export interface ClaimRecord extends Omit<z.output<typeof recordSchema>, 'figures'> {
  readonly figures: Figures
}

/** The kept figures of the claims: a file a claim, a line a record, the last of a seed and scale counts. */
export interface ClaimRecords {
  /** By seed. */
  of(claim: string, scale: string): ReadonlyMap<number, ClaimRecord>
  add(record: ClaimRecord): void
}

/** Opens the folder, which is made where it does not exist. `E_DATA` names the line that cannot be read. */
export function openRecords(folder: string): ClaimRecords {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    throw new TroupeError('E_CONFIG', `cannot make the folder "${folder}"`, { cause, hint: 'Give --out another name' })
  }
  const pathOf = (claim: string) => join(folder, `${claim}.jsonl`)
  return {
    of(claim, scale) {
      const path = pathOf(claim)
      const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
      const records = lines.map((line, i) => readRecord(line, `${path}:${i + 1}`))
      return new Map(records.filter((record) => record.scale === scale).map((record) => [record.seed, record]))
    },
    add: (record) => appendFileSync(pathOf(record.claim), `${JSON.stringify(record)}\n`),
  }
}

function readRecord(line: string, where: string): ClaimRecord {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    value = undefined
  }
  const parsed = recordSchema.safeParse(value)
  if (!parsed.success)
    throw new TroupeError('E_DATA', 'a kept figure of a claim cannot be read', {
      where,
      hint: 'Remove the line; it is measured again',
    })
  const figures = Object.entries(parsed.data.figures).map(([name, figure]) => [name, figure ?? Number.NaN] as const)
  return { ...parsed.data, figures: Object.fromEntries(figures) }
}
