import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { version } from './version.js'

export const STAGES = ['inline', 'threads', 'virtual'] as const
const SCALES = ['quick', 'full', 'tiny'] as const
export const BACKENDS = ['auto', 'onnx', 'tensorflow', 'webgpu', 'cpu'] as const

export interface RunArguments {
  readonly preset?: string
  readonly set: readonly string[]
  readonly stage: (typeof STAGES)[number]
  readonly backend: (typeof BACKENDS)[number]
  readonly seed: number
  readonly out?: string
  readonly json?: boolean
}

export interface ResumeArguments {
  readonly json?: boolean
}

export interface ReplayArguments {
  readonly out?: string
  readonly json?: boolean
}

export interface SweepArguments extends RunArguments {
  readonly vary: readonly string[]
  readonly seeds: number
}

export interface TopArguments {
  readonly once?: boolean
  readonly json?: boolean
}

export interface ClaimsArguments {
  readonly seeds?: number
  readonly scale: (typeof SCALES)[number]
  readonly backend: (typeof BACKENDS)[number]
  readonly out: string
  readonly write?: string
  readonly fresh?: boolean
  readonly list?: boolean
  readonly table?: boolean
  readonly json?: boolean
}

/** What the command does once its words are understood; each resolves to the exit code. */
export interface Actions {
  list(scenario: string | undefined, options: { json?: boolean }): Promise<number>
  run(scenario: string, options: RunArguments): Promise<number>
  resume(run: string, options: ResumeArguments): Promise<number>
  replay(run: string, other: string | undefined, options: ReplayArguments): Promise<number>
  sweep(scenario: string, options: SweepArguments): Promise<number>
  top(run: string, options: TopArguments): Promise<number>
  report(runs: readonly string[]): Promise<number>
  doctor(options: { json?: boolean }): Promise<number>
  bench(name: string | undefined, options: { json?: boolean }): Promise<number>
  claims(names: readonly string[], options: ClaimsArguments): Promise<number>
}

/** The words of the command line. Knows no more than names and forms, so that it starts quickly. */
export function buildProgram(actions: Actions, done: (exitCode: number) => void): Command {
  const program = new Command('troupe')
    .description('Online alignment of language models from preferences: policy, judges and learners run at once.')
    .version(version())
    .showHelpAfterError('(troupe --help lists the commands and options)')
    .enablePositionalOptions()

  program
    .command('list')
    .description('scenarios, presets and backends; with a scenario, its presets and configuration keys')
    .argument('[scenario]', 'name of a scenario, or path of a module that exports one')
    .addOption(json())
    .action(async (scenario, options) => done(await actions.list(scenario, options)))

  program
    .command('run')
    .description('run a scenario and write a run folder')
    .argument('<scenario>', 'name of a scenario, or path of a module that exports one')
    .option('--preset <name>', 'a named configuration of the scenario (default: its first)')
    .option('--set <key=value...>', 'configuration over the preset, nested keys with dots', collect, [])
    .addOption(new Option('--stage <stage>', 'where the actors live').choices(STAGES).default('threads'))
    .addOption(new Option('--backend <backend>', 'what computes the tensors').choices(BACKENDS).default('auto'))
    .option('--seed <n>', 'whole number from which all chance follows', seed, 1)
    .option('--out <dir>', 'run folder, new or empty (default: runs/<scenario>-<preset>-seed<n>-<time>)')
    .addOption(json())
    .action(async (scenario, options) => done(await actions.run(scenario, options)))

  program
    .command('resume')
    .description('go on with a run that was stopped or killed, from its last snapshot')
    .argument('<run>', 'run folder')
    .addOption(json())
    .action(async (run, options) => done(await actions.resume(run, options)))

  program
    .command('replay')
    .description('run a virtual run again and compare the traces, event by event; with a second folder, only compare')
    .argument('<run>', 'run folder of --stage virtual')
    .argument('[other]', 'another one')
    .option('--out <dir>', 'keep the second run in this folder, new or empty (default: it is removed)')
    .addOption(json())
    .action(async (run, other, options) => done(await actions.replay(run, other, options)))

  program
    .command('sweep')
    .description('one run for each combination of values, in virtual time unless told, and one table of them all')
    .argument('<scenario>', 'name of a scenario, or path of a module that exports one')
    .requiredOption('--vary <key=a,b...>', 'a key and its values; given again, every combination', collect)
    .addOption(
      new Option('--seeds <k>', 'runs of each combination, with seeds from --seed on').default(1).argParser(count),
    )
    .option('--preset <name>', 'a named configuration of the scenario (default: its first)')
    .option('--set <key=value...>', 'configuration of all runs', collect, [])
    .addOption(new Option('--stage <stage>', 'where the actors live').choices(STAGES).default('virtual'))
    .addOption(new Option('--backend <backend>', 'what computes the tensors').choices(BACKENDS).default('auto'))
    .option('--seed <n>', 'the first seed', seed, 1)
    .option('--out <dir>', 'folder for the run folders, new or empty (default: runs/sweep-<scenario>-…)')
    .addOption(json())
    .action(async (scenario, options) => done(await actions.sweep(scenario, options)))

  program
    .command('top')
    .description('watch a run of another process: its actors, queues, failures, samples and staleness, until it ends')
    .argument('<run>', 'run folder')
    .option('--once', 'print it once (as where the output is no terminal)')
    .addOption(json())
    .action(async (run, options) => done(await actions.top(run, options)))

  program
    .command('report')
    .description('write report.html of run folders anew')
    .addArgument(new Argument('<run...>', 'run folders'))
    .action(async (runs) => done(await actions.report(runs)))

  program
    .command('doctor')
    .description('what this machine offers, which backends load, and what to install for the others')
    .addOption(json())
    .action(async (options) => done(await actions.doctor(options)))

  program
    .command('bench')
    .description('side-by-side figures; without a name, the list of benchmarks')
    .argument('[name]', 'name of a benchmark')
    .addOption(json())
    .action(async (name, options) => done(await actions.bench(name, options)))

  program
    .command('claims')
    .description('small experiments for statements of the literature: the paper’s figure, ours, and whether it holds')
    .argument('[name...]', 'claims by their numbers, e.g. C14 (default: all)')
    .addOption(new Option('--seeds <k>', 'seeds 1 to k of each (default: 3, of quick experiments 10)').argParser(count))
    .addOption(
      new Option('--scale <scale>', 'size of the experiments; tiny only shows that they run')
        .choices(SCALES)
        .default('quick'),
    )
    .addOption(new Option('--backend <backend>', 'what computes the tensors').choices(BACKENDS).default('auto'))
    .option('--out <dir>', 'folder that keeps what was measured; only what is missing there is measured', 'runs/claims')
    .option('--fresh', 'measure anew what the folder has')
    .option('--write <file>', 'also write the page of all claims that the folder has, as Markdown')
    .option('--list', 'only list the claims and their criteria')
    .option('--table', 'the survey’s closing table instead: what scenarios declare, and what a small run of each used')
    .addOption(json())
    .action(async (names, options) => done(await actions.claims(names, options)))

  return program
}

function json(): Option {
  return new Option('--json', 'exactly one JSON document on stdout, everything else on stderr')
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}

function count(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('A whole number of at least 1.')
  return value
}

function seed(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError(`A seed is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`)
  return value
}
