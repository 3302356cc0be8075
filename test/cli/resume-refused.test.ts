import { existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { openJournal } from '../../runtime/journal/index.js'
import { copied, TINY, virtualRun } from './fixtures/resumable.js'
import { scratch } from './fixtures/scratch.js'
import { printed, start, TOY, troupe } from './fixtures/troupe.js'

/** A run that was killed when it had three snapshots or more. */
const killed = virtualRun(150, [500]).then(({ copies }) => copies[0]!)
const snapshots = (folder: string) =>
  readdirSync(join(folder, 'journal')).filter((name) => name.startsWith('snapshot-'))

const spoilt: readonly (readonly [what: string, spoil: (folder: string) => void | Promise<void>, sentence: RegExp])[] =
  [
    ['no run folder', (folder) => rmSync(join(folder, 'config.json')), /this is no run folder: its config\.json/],
    ['a broken config.json', (folder) => truncateSync(join(folder, 'config.json'), 40), /this is no run folder/],
    [
      'no journal',
      (folder) => rmSync(join(folder, 'journal'), { recursive: true }),
      /no snapshot to resume from.*start it again/,
    ],
    [
      'a finished run',
      (folder) => writeFileSync(join(folder, 'journal', 'finished'), ''),
      /the run has finished: there is nothing/,
    ],
    [
      'no snapshot that verifies',
      (folder) => {
        for (const name of snapshots(folder)) truncateSync(join(folder, 'journal', name), 1000)
      },
      /no snapshot can be used: snapshot-\d+ .*snapshot-\d+ .*cannot be resumed; what it wrote is still in its folder/,
    ],
    [
      'a file that is shorter than the snapshot knows',
      (folder) => truncateSync(join(folder, 'events.jsonl'), 10),
      /events\.jsonl has 10 bytes, and the journal knows of \d+/,
    ],
    [
      'a living process',
      (folder) => writeFileSync(join(folder, 'run.lock'), JSON.stringify({ pid: process.pid, host: hostname() })),
      new RegExp(`process ${process.pid} on .* is writing the run folder`),
    ],
    [
      'the form of another version',
      async (folder) => {
        rmSync(join(folder, 'journal'), { recursive: true })
        const { scenario, seed, stage, backend } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
        const journal = await openJournal(join(folder, 'journal'), { run: { scenario, seed, stage, backend } })
        await journal.save({ format: 99 }, {}, 0)
      },
      /its snapshots have form 99, and this Troupe reads form 1/,
    ],
    [
      'a configuration that was changed',
      (folder) => edit(folder, (config) => ({ ...config, config: { ...config.config, batch: -1 } })),
      /the configuration in .* is none of this Troupe's: "batch"/,
    ],
    [
      'another seed than the journal has',
      (folder) => edit(folder, (config) => ({ ...config, seed: 9 })),
      /the journal is of seed "1", not "9"/,
    ],
  ]

// biome-ignore lint/suspicious/noExplicitAny: JSON of any kind
function edit(folder: string, change: (config: any) => unknown): void {
  const path = join(folder, 'config.json')
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))))
}

for (const [what, spoil, sentence] of spoilt)
  test.serial(`resume refuses ${what} with one sentence and exit code 2, and leaves the folder as it is`, async (t) => {
    const folder = copied(await killed)
    await spoil(folder)
    const before = readdirSync(folder)
    const { code, stderr } = await troupe(['resume', folder])
    t.is(code, 2, stderr)
    t.regex(stderr, sentence)
    t.is(stderr.match(/^troupe: /gm)?.length, 1)
    t.deepEqual(readdirSync(folder), before)
  })

test.serial('a snapshot that the disk has spoilt is told of, and the one before serves', async (t) => {
  const folder = copied(await killed)
  const newest = snapshots(folder).at(-1)!
  truncateSync(join(folder, 'journal', newest), 2000)
  const { code, stderr } = await troupe(['resume', folder])
  t.is(code, 0, stderr)
  t.regex(stderr, new RegExp(`^note: ${newest} .*; what it held is done again$`, 'm'))
})

test.serial('a run that keeps no journal cannot be resumed, and says why', async (t) => {
  const cwd = scratch()
  const { code } = await troupe(['run', TOY, '--out', 'toy'], cwd)
  t.is(code, 0)
  const { code: refused, stderr } = await troupe(['resume', 'toy'], cwd)
  t.is(refused, 2)
  t.regex(stderr, /the run kept no journal .*journal\.everyMs says how often snapshots are taken/)
})

test.serial('Ctrl-C leaves a run that can be resumed, and says how; so does the next one', async (t) => {
  const cwd = scratch()
  let command = ['run', TINY, '--out', 'run']
  for (const line of ['M1 is version 0', 'M2 is version 4']) {
    const { child, outcome } = start(command, cwd)
    await printed(child, line)
    child.kill('SIGINT')
    const { code, stderr } = await outcome
    t.is(code, 130, stderr)
    t.regex(stderr, /^Go on with it: troupe resume run$/m)
    t.true(existsSync(join(cwd, 'run', 'error.json')))
    command = ['resume', 'run']
  }
  const { code, stdout, stderr } = await troupe(command, cwd)
  t.is(code, 0, stderr)
  t.regex(stdout, /64 issued = /)
  t.false(existsSync(join(cwd, 'run', 'error.json')))
  const log = readFileSync(join(cwd, 'run', 'log.jsonl'), 'utf8')
  t.is(log.match(/M1 is version 0/g)?.length, 1, 'what was done until Ctrl-C is not done again')
})

test.serial('snapshots that cannot be written are told of, and the run comes to its end', async (t) => {
  const cwd = scratch()
  const { child, outcome } = start(['run', TINY, '--out', 'run', '--set', 'journal.everyMs=100'], cwd)
  await printed(child, 'sft')
  const journal = join(cwd, 'run', 'journal')
  renameSync(journal, `${journal}-away`)
  writeFileSync(journal, 'no folder any more')
  const { code, stderr, stdout } = await outcome
  t.is(code, 0, stderr)
  t.regex(stdout, /a snapshot was not kept \(1 so far\): a snapshot cannot be written \(E\w+\)/)
  t.regex(stderr, /the end of the run cannot be written/)
  t.true(existsSync(join(cwd, 'run', 'summary.json')))
})
