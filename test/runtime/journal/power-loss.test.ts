import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { openJournal, readJournal } from '../../../runtime/journal/index.js'
import { FragileStorage } from '../fixtures/fragile-storage.js'

const FOLDER = '/run/journal'
const run = { scenario: 'toy', seed: 1 }
const stateOf = (sequence: number, size: number) => ({
  sequence,
  weights: Float32Array.from({ length: size }, (_, i) => i / 7),
})

/** Saves 1, 2, … until power is lost or `saves` are done; gives the number of the last save that was acknowledged. */
async function saveAll(storage: FragileStorage, saves: number, keep: number, resumed?: number): Promise<number> {
  let acknowledged = resumed ?? 0
  try {
    const journal = await openJournal(FOLDER, { run, keep, storage, resumed })
    for (let i = 0; i < saves; i++) {
      const next = acknowledged + 1
      await journal.save(stateOf(next, 3 + next), { 'metrics.jsonl': 10 * next }, 1000 * next)
      acknowledged = next
    }
  } catch {
    // power is gone
  }
  return acknowledged
}

/** What is found must be the last save that was acknowledged, or the one that was being written, and whole. */
async function checkFound(t: ExecutionContext, storage: FragileStorage, acknowledged: number, where: string) {
  if (acknowledged === 0 && ![...storage.names.keys()].some((name) => name.startsWith('snapshot'))) {
    await t.throwsAsync(readJournal(FOLDER, { run, storage }), { code: 'E_JOURNAL', message: /no snapshot/ }, where)
    return 0
  }
  const found = await readJournal(FOLDER, { run, storage })
  t.true(found.sequence === acknowledged || found.sequence === acknowledged + 1, `${where}: found ${found.sequence}`)
  t.deepEqual(found.state, stateOf(found.sequence, 3 + found.sequence), where)
  t.deepEqual([found.marks, found.at], [{ 'metrics.jsonl': 10 * found.sequence }, 1000 * found.sequence], where)
  t.deepEqual(found.damaged, [], where)
  return found.sequence
}

/** Which of the changes that were not synced the disk still has. */
const FATES: Readonly<Record<string, (change: number) => boolean>> = {
  all: () => true,
  none: () => false,
  'only the last': (change) => change > 0,
  'only the first': (change) => change === 0,
  'every other': (change) => change % 2 === 1,
}

for (const keep of [1, 2])
  test(`power may fail at any byte and any operation, ${keep} kept: the last snapshot or the one being written is found`, async (t) => {
    t.timeout(110_000)
    const whole = new FragileStorage()
    t.is(await saveAll(whole, 4, keep), 4)
    t.true(whole.steps > 500, 'there is something to cut')
    t.is([...whole.names.keys()].filter((name) => name.startsWith('snapshot')).length, keep)
    for (let cut = 0; cut <= whole.steps; cut++)
      for (const [fate, kept] of Object.entries(FATES)) {
        const storage = new FragileStorage(cut)
        const acknowledged = await saveAll(storage, 4, keep)
        await checkFound(t, storage.survivor(kept), acknowledged, `power for ${cut} steps, ${fate} kept`)
      }
  })

test('a run that loses power again and again goes on from what it finds', async (t) => {
  const lives = fc.array(
    fc.record({
      power: fc.nat(900),
      saves: fc.integer({ min: 1, max: 3 }),
      fate: fc.constantFrom(...Object.values(FATES)),
    }),
    { minLength: 1, maxLength: 6 },
  )
  await fc.assert(
    fc.asyncProperty(lives, fc.integer({ min: 1, max: 3 }), async (all, keep) => {
      let storage = new FragileStorage()
      let found = 0
      for (const { power, saves, fate } of all) {
        const alive = new FragileStorage(power, storage.names)
        const acknowledged = await saveAll(alive, saves, keep, found === 0 ? undefined : found)
        storage = alive.survivor(fate)
        found = await checkFound(t, storage, acknowledged, JSON.stringify(all))
      }
    }),
    { numRuns: 300, seed: 1 },
  )
})

test('a full disk refuses a snapshot with a sentence; the one before stays, and the next save works again', async (t) => {
  for (let room = 0; room < 100; room++) {
    const storage = new FragileStorage()
    const journal = await openJournal(FOLDER, { run, keep: 1, storage })
    await journal.save(stateOf(1, 4), { 'metrics.jsonl': 10 }, 1000)
    storage.room = room
    const error = await t.throwsAsync(journal.save(stateOf(2, 5), {}, 0), { code: 'E_JOURNAL' })
    t.is(error!.message, 'a snapshot cannot be written (ENOSPC)')
    t.false(journal.saving)
    await checkFound(t, storage, 1, `${room} bytes left`)
    t.deepEqual(
      [...storage.names.keys()],
      ['snapshot-00000001'],
      'what was begun is gone: it may be what fills the disk',
    )
    storage.room = Number.POSITIVE_INFINITY
    await journal.save(stateOf(3, 6), { 'metrics.jsonl': 30 }, 3000)
    await checkFound(t, storage, 3, `room again after ${room}`)
    t.deepEqual([...storage.names.keys()], ['snapshot-00000003'])
  }
})
