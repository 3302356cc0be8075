import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, totalmem } from 'node:os'

/** One side-by-side measurement; `ratio` is better when greater, `other` is null where the other side is absent. */
export interface BenchFigure {
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly other: number | null
  readonly against: string
  readonly ratio: number | null
  readonly bar: number | null
  readonly aim: number | null
}

export interface BenchFigures {
  readonly machine: string
  readonly commit: string
  readonly figures: readonly BenchFigure[]
}

interface BenchOptions {
  readonly log: (line: string) => void
}

export interface Bench {
  readonly title: string
  run(options: BenchOptions): Promise<BenchFigures>
}

export function withMachine(figures: readonly BenchFigure[]): BenchFigures {
  return { machine: machine(), commit: commit(), figures }
}

/** Cores, processor, memory and Node of this machine. */
export function machine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${availableParallelism()} cores, ${model}, ${memory} GiB, Node ${process.version}`
}

/** The commit that is checked out where the command runs; `unknown` where none is. */
export function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
