import test from 'ava'
import { firstValueFrom, from, Subject, throwError, toArray } from 'rxjs'
import { inOrder } from '../../actors/in-order.js'

const ordered = (ids: Iterable<number>) =>
  firstValueFrom(
    from(ids).pipe(
      inOrder((id) => id),
      toArray(),
    ),
  )

test('items come out by their ids', async (t) => {
  t.deepEqual(await ordered([2, 0, 1, 4, 3]), [0, 1, 2, 3, 4])
  t.deepEqual(await ordered([]), [])
})

test('an item is not held back once those before it are there', (t) => {
  const items = new Subject<number>()
  const seen: number[] = []
  items.pipe(inOrder((id) => id)).subscribe((id) => seen.push(id))
  items.next(1)
  t.deepEqual(seen, [])
  items.next(0)
  t.deepEqual(seen, [0, 1])
  items.next(2)
  t.deepEqual(seen, [0, 1, 2])
  t.true(items.observed)
})

for (const [what, ids, message] of [
  ['that has been sent on', [0, 1, 0], /batch 0 came twice/],
  ['that waits', [2, 2], /batch 2 came twice/],
] as const)
  test(`an id ${what} may not come again`, async (t) => {
    await t.throwsAsync(ordered(ids), { code: 'E_INVARIANT', message })
  })

test('a gap at the end is an error, that names what is missing', async (t) => {
  await t.throwsAsync(ordered([0, 1, 3, 4]), { code: 'E_INVARIANT', message: /batch 2 never came/ })
})

test('an error of the source passes', async (t) => {
  const failed = throwError(() => new RangeError('lost')).pipe(inOrder(Number))
  await t.throwsAsync(firstValueFrom(failed), { instanceOf: RangeError, message: 'lost' })
})
