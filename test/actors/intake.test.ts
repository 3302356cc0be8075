import test from 'ava'
import { firstValueFrom, from, Subject, throwError, toArray } from 'rxjs'
import { Intake, type IntakeState } from '../../actors/intake.js'

interface Batch {
  readonly id: number
  readonly lastOfUpdate: boolean
}

/** Updates of two batches each: 0 and 1, 2 and 3, … */
const batch = (id: number): Batch => ({ id, lastOfUpdate: id % 2 === 1 })

function intake(state?: IntakeState<Batch>) {
  const [fresh, again]: [number[], number[]] = [[], []]
  const made = new Intake<Batch>({ onNew: ({ id }) => fresh.push(id), onDuplicate: ({ id }) => again.push(id) })
  if (state) made.restore(state)
  const updates = async (ids: Iterable<number>) =>
    (await firstValueFrom(made.updates(from([...ids].map(batch))).pipe(toArray()))).map((update) =>
      update.map(({ id }) => id),
    )
  return { made, fresh, again, updates }
}

test('batches come out by their ids, an update at a time', async (t) => {
  const { updates, fresh } = intake()
  t.deepEqual(await updates([2, 0, 1, 5, 4, 3]), [
    [0, 1],
    [2, 3],
    [4, 5],
  ])
  t.deepEqual(fresh, [2, 0, 1, 5, 4, 3], 'each is told of when it comes, not when its turn comes')
  t.deepEqual(await intake().updates([]), [])
})

test('an update is not held back once its batches are there', (t) => {
  const batches = new Subject<Batch>()
  const seen: number[][] = []
  intake()
    .made.updates(batches)
    .subscribe((update) => seen.push(update.map(({ id }) => id)))
  for (const id of [1, 3, 0]) batches.next(batch(id))
  t.deepEqual(seen, [[0, 1]])
  batches.next(batch(2))
  t.deepEqual(seen.at(-1), [2, 3])
  t.true(batches.observed)
})

test('a batch that comes again is dropped and told of, whether it waits, is held or was used', async (t) => {
  const { updates, fresh, again } = intake()
  t.deepEqual(await updates([0, 0, 3, 3, 1, 1, 0, 2]), [
    [0, 1],
    [2, 3],
  ])
  t.deepEqual(
    [fresh, again],
    [
      [0, 3, 1, 2],
      [0, 3, 1, 0],
    ],
  )
})

test('a gap at the end is an error that names what is missing', async (t) => {
  await t.throwsAsync(intake().updates([0, 1, 3, 4]), { code: 'E_INVARIANT', message: /batch 2 never came/ })
})

test('an error of the sender passes', async (t) => {
  const failed = intake().made.updates(throwError(() => new RangeError('lost')))
  await t.throwsAsync(firstValueFrom(failed), { instanceOf: RangeError, message: 'lost' })
})

test('put away at any point and taken back, it goes on as if nothing had been', async (t) => {
  const order = [3, 1, 4, 0, 2, 7, 5, 6]
  const whole = await intake().updates(order)
  for (let cut = 0; cut <= order.length; cut++) {
    const before = intake()
    const batches = new Subject<Batch>()
    const seen: number[][] = []
    before.made.updates(batches).subscribe((update) => seen.push(update.map(({ id }) => id)))
    for (const id of order.slice(0, cut)) batches.next(batch(id))
    const state = structuredClone(before.made.snapshot())
    const after = intake(state)
    t.deepEqual([...seen, ...(await after.updates(order.slice(cut)))], whole, `cut at ${cut}`)
    t.deepEqual(after.fresh, order.slice(cut), 'what is held was told of before')
  }
})

test('a batch that is given up is no gap, in the middle or at the end; what came by then is not taken back', async (t) => {
  const { made, updates, again } = intake()
  for (const id of [1, 3]) made.pass(batch(id))
  t.deepEqual(await updates([0, 2]), [
    [0, 1],
    [2, 3],
  ])
  made.pass(batch(1))
  t.deepEqual(await updates([4, 5]), [[4, 5]])
  t.deepEqual(again, [])
})
