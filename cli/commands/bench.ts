import type { Bench, BenchFigures } from '../../bench/figures.js'
import { TroupeError } from '../../runtime/kernel/errors.js'
import { EXIT } from '../exit.js'
import { figure } from '../live/text.js'
import { suggest } from '../nearest.js'
import { renderTable } from '../table.js'

/** `troupe bench`: without a name the list, else the figures of one benchmark. */
export async function bench(name: string | undefined, options: { json?: boolean }): Promise<number> {
  const benches = (await import('../../bench/index.js')).benches as Readonly<Record<string, Bench>>
  if (name === undefined) {
    const rows = Object.entries(benches).map(([key, { title }]) => ({ name: key, title }))
    const lines = rows.map((row) => `${row.name.padEnd(16)} ${row.title}`).join('\n')
    process.stdout.write(`${options.json ? JSON.stringify(rows, null, 2) : lines}\n`)
    return EXIT.done
  }
  if (!Object.hasOwn(benches, name))
    throw new TroupeError('E_CONFIG', `unknown benchmark "${name}"`, {
      hint: suggest(name, Object.keys(benches), 'benchmarks'),
    })
  const log = (line: string) => process.stderr.write(`${line}\n`)
  const figures = await benches[name]!.run({ log })
  process.stdout.write(`${options.json ? JSON.stringify(figures, null, 2) : figuresTable(figures)}\n`)
  return EXIT.done
}

/** The figures side by side; a dash where a side or a bar is absent. */
export function figuresTable({ figures }: BenchFigures): string {
  const cell = (value: number | null) => (value === null ? '-' : figure(value))
  const left = { align: 'left' } as const
  return renderTable(
    [
      { head: 'figure', ...left },
      { head: 'ours' },
      { head: 'other' },
      { head: 'unit', ...left },
      { head: 'ratio' },
      { head: 'bar' },
      { head: 'aim' },
      { head: 'against', ...left },
    ],
    figures.map((row) => [
      row.name,
      cell(row.ours),
      cell(row.other),
      row.unit,
      cell(row.ratio),
      cell(row.bar),
      cell(row.aim),
      row.against,
    ]),
  )
}
