import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Defect } from './defects.js'

const DIST = fileURLToPath(new URL('../../', import.meta.url))

export interface Found {
  /** How many seeds it took; undefined when so many were not enough. */
  readonly seeds: number | undefined
  readonly invariant: string
}

/** A copy of what the simulations run on, in which defects can be put. */
export class Hunt {
  readonly #folder = mkdtempSync(join(tmpdir(), 'troupe-defects-'))

  constructor() {
    const sources = (path: string) => extname(path) === '' || extname(path) === '.js'
    for (const part of ['runtime', 'test/sim'])
      cpSync(join(DIST, part), join(this.#folder, 'dist', part), { recursive: true, filter: sources })
    writeFileSync(join(this.#folder, 'package.json'), '{ "type": "module" }')
    symlinkSync(join(DIST, '../node_modules'), join(this.#folder, 'node_modules'))
  }

  /** Runs simulations on a kernel with this defect until one of them finds it. */
  async find({ name, edits }: Defect, limits: { seeds: number; timeoutMs: number }): Promise<Found> {
    const before = new Map<string, string>()
    try {
      for (const { file, find, replace } of edits) {
        const path = join(this.#folder, 'dist', file)
        const text = readFileSync(path, 'utf8')
        if (!before.has(path)) before.set(path, text)
        if (text.split(find).length !== 2) throw new Error(`"${name}": ${file} must have once: ${find}`)
        writeFileSync(
          path,
          text.replace(find, () => replace),
        )
      }
      return await this.#run(limits)
    } finally {
      for (const [path, text] of before) writeFileSync(path, text)
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #run({ seeds, timeoutMs }: { seeds: number; timeoutMs: number }): Promise<Found> {
    const main = join(this.#folder, 'dist/test/sim/main.js')
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [main, '--seeds', String(seeds), '--json'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let out = ''
      let errors = ''
      let isLate = false
      child.stdout.on('data', (chunk) => {
        out += chunk
      })
      child.stderr.on('data', (chunk) => {
        errors = `${errors}${chunk}`.slice(-4000)
      })
      const timer = setTimeout(() => {
        isLate = true
        child.kill('SIGKILL')
      }, timeoutMs)
      child.on('error', reject)
      child.on('close', () => {
        clearTimeout(timer)
        const last = out.trim().split('\n').at(-1) ?? ''
        if (last.startsWith('{')) {
          const { seeds: after, invariant } = JSON.parse(last) as { seeds: number; invariant?: string }
          return resolve(invariant ? { seeds: after, invariant } : { seeds: undefined, invariant: '' })
        }
        if (isLate) return resolve({ seeds: undefined, invariant: `nothing was found in ${timeoutMs} ms` })
        const said = /^\w*Error: .*$/m.exec(errors)?.[0] ?? 'it ended without a word'
        resolve({ seeds: Number.NaN, invariant: `the process ends: ${said}` })
      })
    })
  }
}
