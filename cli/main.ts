#!/usr/bin/env node
import { CommanderError } from 'commander'
import { describeError, EXIT, exitCodeOf } from './exit.js'
import { type Actions, buildProgram } from './program.js'

/** How long after the last word of the command something may still hold the process before it is ended. */
const LINGER_MS = 5000

const actions: Actions = {
  list: async (...given) => (await import('./commands/list.js')).list(...given),
  run: async (...given) => (await import('./commands/run.js')).run(...given),
  resume: async (...given) => (await import('./commands/resume.js')).resume(...given),
  replay: async (...given) => (await import('./commands/replay.js')).replay(...given),
  sweep: async (...given) => (await import('./commands/sweep.js')).sweep(...given),
  top: async (...given) => (await import('./commands/top.js')).top(...given),
  report: async (...given) => (await import('./commands/report.js')).report(...given),
  doctor: async (...given) => (await import('./commands/doctor.js')).doctor(...given),
  bench: async (...given) => (await import('./commands/bench.js')).bench(...given),
  claims: async (...given) => (await import('./commands/claims.js')).claims(...given),
}

/** Runs one command line and resolves to its exit code; prints what went wrong. */
async function main(words: readonly string[]): Promise<number> {
  let code: number = EXIT.done
  const program = buildProgram(actions, (exitCode) => {
    code = exitCode
  })
  for (const command of [program, ...program.commands])
    command
      .exitOverride()
      .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'troupe: ')) })
  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    console.error(describeError(error))
    return exitCodeOf(error)
  }
}

// A reader that went away (`troupe list | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

process.exitCode = await main(process.argv.slice(2))
setTimeout(() => process.exit(), LINGER_MS).unref()
