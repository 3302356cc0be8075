import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import { openJournal, readJournal } from '../../../runtime/journal/index.js'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { scratch } from '../../cli/fixtures/scratch.js'

const run = { scenario: 'toy', seed: 1 }

async function journalOf(states: readonly unknown[], options: { keep?: number; folder?: string } = {}) {
  const { keep, folder = join(scratch(), 'journal') } = options
  const journal = await openJournal(folder, { run, keep })
  for (const [i, state] of states.entries()) await journal.save(state, { 'trace.json': i }, i)
  const file = (sequence: number) => join(folder, `snapshot-0000000${sequence}`)
  return { folder, journal, file, read: () => readJournal(folder, { run }) }
}

test('what is saved is what is read, whatever a structured clone can hold', async (t) => {
  const state = {
    weights: Float32Array.from([1.5, -0, Number.NaN]),
    long: new BigInt64Array([1n, -1n]),
    bytes: new Uint8Array([1, 2, 3]).subarray(1),
    odd: new Map([['a', new Set([1, undefined])]]),
    at: new Date(5),
    nothing: null,
    large: [
      new Float64Array(20_000).fill(Math.PI),
      Buffer.alloc(70_000, 'ab'),
      new DataView(new ArrayBuffer(66_000), 8),
    ],
    small: Buffer.from('small'),
    twice: new Float32Array(30_000).fill(7).subarray(1),
    again: undefined as unknown,
  }
  state.again = state.twice
  const { read, journal } = await journalOf([state])
  const found = await read()
  t.deepEqual(found.state, state)
  t.like(found, { run, sequence: 1, at: 0, marks: { 'trace.json': 0 }, damaged: [] })
  const { weights, bytes, twice, again, large } = found.state as typeof state
  t.is(again, twice, 'what was one array is one array')
  t.deepEqual([twice.buffer.byteLength, large[0]!.buffer.byteLength], [4 * 29_999, 160_000])
  t.is(weights.buffer.byteLength, 12, 'an array owns its memory alone, not the whole file')
  t.is(bytes.buffer.byteLength, 2)
  await journal.close()
})

test('a snapshot is of the moment at which save was called', async (t) => {
  const { journal, read } = await journalOf([])
  const weights = new Float32Array([1, 2])
  const saving = journal.save({ weights }, {}, 0)
  t.true(journal.saving)
  weights.fill(9)
  await saving
  t.false(journal.saving)
  t.deepEqual((await read()).state, { weights: new Float32Array([1, 2]) })
})

test('one snapshot is written at a time, and none after close', async (t) => {
  const { journal, read } = await journalOf([])
  const first = journal.save(1, {}, 0)
  await t.throwsAsync(async () => journal.save(2, {}, 0), { code: 'E_INVARIANT' })
  await journal.close()
  await first
  t.is((await read()).state, 1, 'close waited')
  await t.throwsAsync(async () => journal.save(3, {}, 0), { code: 'E_INVARIANT' })
})

test('what cannot be cloned is refused with a sentence, and the journal goes on', async (t) => {
  const { journal, read } = await journalOf([1])
  await t.throwsAsync(journal.save({ hook: () => 1 }, {}, 0), { code: 'E_JOURNAL', message: /could not be cloned/ })
  await journal.save(2, {}, 0)
  t.is((await read()).state, 2)
})

test('old snapshots are pruned', async (t) => {
  t.deepEqual(readdirSync((await journalOf([1, 2, 3, 4, 5])).folder), ['snapshot-00000004', 'snapshot-00000005'])
  t.deepEqual(readdirSync((await journalOf([1, 2, 3, 4, 5], { keep: 3 })).folder).length, 3)
})

test('whatever byte of the newest snapshot is spoilt or lost, the one before is read, and it is said why', async (t) => {
  const { file, read } = await journalOf([{ n: 1 }, { n: 2 }])
  const sound = readFileSync(file(2))
  for (let at = 0; at < sound.length; at++) {
    const spoilt = Buffer.from(sound)
    spoilt[at]! ^= 1 << (at % 8)
    for (const bytes of [spoilt, sound.subarray(0, at)]) {
      writeFileSync(file(2), bytes)
      const found = await read()
      t.deepEqual([found.sequence, found.state, found.damaged.length], [1, { n: 1 }, 1], `byte ${at}`)
      t.regex(found.damaged[0]!, /^snapshot-00000002 is (damaged|cut short)/)
    }
  }
  writeFileSync(file(2), sound)
  t.is((await read()).sequence, 2)
})

test('a large array that is spoilt or cut off is not read either', async (t) => {
  const { file, read } = await journalOf([1, { weights: new Float32Array(50_000).fill(1) }])
  const sound = readFileSync(file(2))
  for (let at = sound.length - 1; at > sound.length - 200_000; at -= 9_973) {
    const spoilt = Buffer.from(sound)
    spoilt[at]! ^= 0x10
    for (const bytes of [spoilt, sound.subarray(0, at)]) {
      writeFileSync(file(2), bytes)
      t.is((await read()).sequence, 1, `byte ${at}`)
    }
  }
})

test('any bytes at all in place of the snapshots give a clear sentence', async (t) => {
  const { file, read } = await journalOf([1, 2])
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 20 }), async (one, two) => {
      writeFileSync(file(1), one)
      writeFileSync(file(2), two)
      const error = await t.throwsAsync(read(), { instanceOf: TroupeError, code: 'E_JOURNAL' })
      t.regex(error!.message, /^no snapshot can be used: snapshot-00000002 is .*, snapshot-00000001 is /)
    }),
    { numRuns: 100, seed: 1 },
  )
})

test('a snapshot under another’s name is not taken for it', async (t) => {
  const { file, read } = await journalOf([1, 2])
  writeFileSync(file(2), readFileSync(file(1)))
  t.like(await read(), { sequence: 1, damaged: ['snapshot-00000002 holds snapshot 1'] })
})

test('a journal of a newer Troupe is not resumed, though an older snapshot could be read', async (t) => {
  const { file, read } = await journalOf([1, 2])
  const bytes = readFileSync(file(2))
  bytes.writeUInt32LE(7, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(16), crc32(bytes.subarray(8, 12))), 12)
  writeFileSync(file(2), bytes)
  const error = await t.throwsAsync(read(), { code: 'E_JOURNAL', message: /format 7, and this Troupe knows 1/ })
  t.truthy((error as TroupeError).hint)
})

test('no journal, another run, a finished run: each is refused by its own sentence', async (t) => {
  const empty = scratch()
  for (const folder of [empty, join(empty, 'nowhere')])
    await t.throwsAsync(readJournal(folder), { code: 'E_JOURNAL', message: /^there is no snapshot to resume from/ })
  const { folder, journal, read } = await journalOf([1])
  await t.throwsAsync(readJournal(folder, { run: { scenario: 'other' } }), {
    code: 'E_JOURNAL',
    message: 'the journal is of scenario "toy", not "other"',
  })
  await t.notThrowsAsync(readJournal(folder, { run: { seed: 1 } }))
  await journal.finished()
  await t.throwsAsync(read(), { code: 'E_JOURNAL', message: /^the run has finished/ })
  t.deepEqual(readdirSync(folder), ['finished'], 'its snapshots are of no use any more')
})

test('a new run does not take over the journal of another', async (t) => {
  const { folder } = await journalOf([1])
  await t.throwsAsync(openJournal(folder, { run }), { code: 'E_JOURNAL', message: /holds the journal of another run/ })
})

test('a resumed run goes on after the snapshot it was resumed from; what could not be used is gone', async (t) => {
  const { folder, file, journal } = await journalOf(['a', 'b', 'c'])
  await journal.close()
  writeFileSync(file(3), 'spoilt')
  const found = await readJournal(folder, { run })
  t.is(found.sequence, 2)
  const again = await openJournal(folder, { run, resumed: found.sequence })
  t.deepEqual(readdirSync(folder), ['snapshot-00000002'])
  await again.save('d', {}, 0)
  t.deepEqual(readdirSync(folder), ['snapshot-00000002', 'snapshot-00000004'], 'a number is never given twice')
  t.is((await readJournal(folder, { run })).state, 'd')
})

test('a folder that cannot be made or read is a sentence with the system’s code', async (t) => {
  const file = join(scratch(), 'file')
  writeFileSync(file, '')
  await t.throwsAsync(openJournal(join(file, 'journal'), { run }), {
    code: 'E_JOURNAL',
    message: /cannot be opened \(ENOTDIR\)/,
  })
  await t.throwsAsync(readJournal(file), { code: 'E_JOURNAL', message: /cannot be read \(ENOTDIR\)/ })
})
