import test from 'ava'
import { type RestartPolicy, type Strategy, type Supervised, Supervision } from '../../../runtime/kernel/supervision.js'

const KINDS = ['permanent', 'transient', 'temporary'] as const
const STRATEGIES: readonly Strategy[] = ['one-for-one', 'one-for-all', 'rest-for-one']

function policy(more: Partial<RestartPolicy> = {}): RestartPolicy {
  const backoff = { firstMs: 100, factor: 2, mostMs: 350 }
  return { restart: 'permanent', maxRestarts: 3, withinMs: 1000, backoff, ...more }
}

const supervisor = (
  name: string,
  strategy: Strategy,
  more: Partial<RestartPolicy> = {},
  under?: string,
): Supervised => ({
  name,
  strategy,
  under,
  policy: policy(more),
})
const child = (name: string, under?: string, more: Partial<RestartPolicy> = {}): Supervised => ({
  name,
  under,
  policy: policy(more),
})

/** Children a, b and c, of which b is of the kind that is asked for. */
const three = (strategy: Strategy, restart: RestartPolicy['restart']) =>
  new Supervision([supervisor('s', strategy), child('a', 's'), child('b', 's', { restart }), child('c', 's')])

const concerned: Readonly<Record<Strategy, readonly string[]>> = {
  'one-for-one': ['b'],
  'one-for-all': ['a', 'b', 'c'],
  'rest-for-one': ['b', 'c'],
}

for (const strategy of STRATEGIES)
  for (const restart of KINDS)
    for (const ownWill of [false, true])
      test(`${strategy}, ${restart}: one that ${ownWill ? 'ends by its own will' : 'fails'}`, (t) => {
        const decision = three(strategy, restart).failed('b', 0, { ownWill })
        const stays = restart === 'temporary' || (restart === 'transient' && ownWill)
        if (stays) t.deepEqual(decision, { kind: 'gone', members: ['b'] })
        else t.deepEqual(decision, { kind: 'restart', members: concerned[strategy], gone: [], delayMs: 100 })
      })

test('siblings that are temporary end with those that are restarted', (t) => {
  const children = [supervisor('s', 'one-for-all'), child('a', 's', { restart: 'temporary' }), child('b', 's')]
  const decision = new Supervision(children).failed('b', 0)
  t.deepEqual(decision, { kind: 'restart', members: ['b'], gone: ['a'], delayMs: 100 })
})

test('a supervisor is a child: it is restarted with all below it, and its siblings by the strategy above', (t) => {
  const tree = [
    supervisor('top', 'rest-for-one'),
    child('first', 'top'),
    supervisor('low', 'one-for-one', {}, 'top'),
    child('x/0', 'low', { maxRestarts: 0 }),
    child('x/1', 'low', { maxRestarts: 0 }),
    child('last', 'top'),
  ]
  const supervision = new Supervision(tree)
  t.deepEqual(supervision.failed('x/1', 0), {
    ...{ kind: 'restart', members: ['x/0', 'x/1', 'last'], gone: [], delayMs: 100 },
  })
  t.deepEqual(supervision.failed('first', 0), {
    ...{ kind: 'restart', members: ['first', 'x/0', 'x/1', 'last'], gone: [], delayMs: 100 },
  })
})

test('every child has a budget of its own, also where it is restarted with its siblings', (t) => {
  const children = [supervisor('s', 'one-for-all'), child('a', 's'), child('b', 's'), child('c', 's')]
  const supervision = new Supervision(children)
  for (const name of ['a', 'b', 'a', 'b', 'a', 'b']) t.is(supervision.failed(name, 0).kind, 'restart', name)
  t.deepEqual(supervision.failed('c', 0), { kind: 'restart', members: ['a', 'b', 'c'], gone: [], delayMs: 100 })
})

test('one failure more than the budget is the supervisor’s own; failures that have left the window do not count', (t) => {
  const supervision = new Supervision([child('a')])
  const kinds = (at: number) => supervision.failed('a', at).kind
  t.deepEqual([0, 400, 800].map(kinds), ['restart', 'restart', 'restart'])
  t.is(kinds(1000), 'restart', 'that of moment 0 is a whole window ago')
  t.deepEqual(supervision.failed('a', 1399), { kind: 'fail', exhausted: 'a' })
  t.is(kinds(1400), 'restart')
})

test('the wait grows from the first to the longest, and begins anew when the failures are forgotten', (t) => {
  const supervision = new Supervision([child('a', undefined, { maxRestarts: 9 })])
  const delays = [0, 10, 20, 30, 1030].map((at) => {
    const decision = supervision.failed('a', at)
    return decision.kind === 'restart' ? decision.delayMs : undefined
  })
  t.deepEqual(delays, [100, 200, 350, 350, 100])
})

/** Failures of one actor that are borne before the troupe fails. */
function borne(levels: readonly number[]): number {
  const names = levels.map((_, i) => `level ${i}`)
  const children = levels.map((maxRestarts, i) => {
    const [name, under] = [names[i]!, names[i - 1]]
    return i === levels.length - 1
      ? child(name, under, { maxRestarts })
      : supervisor(name, 'one-for-one', { maxRestarts }, under)
  })
  const supervision = new Supervision(children)
  let failures = 0
  while (supervision.failed(names.at(-1)!, 0).kind === 'restart') failures++
  return failures
}

test('budgets of levels multiply: a supervisor that is restarted has not counted anything yet', (t) => {
  t.is(borne([2]), 2)
  t.is(borne([2, 2]), 3 * 3 - 1)
  t.is(borne([1, 2, 3]), 2 * 3 * 4 - 1)
  t.is(borne([0, 5]), 5)
})

test('a failure that starting anew cannot help ends the troupe, whatever the budgets', (t) => {
  const supervision = new Supervision([supervisor('s', 'one-for-all'), child('a', 's')])
  t.deepEqual(supervision.failed('a', 0, { retry: false }), { kind: 'fail', exhausted: 'a' })
})

test('who may be restarted, and without whom the others may go on', (t) => {
  const supervision = new Supervision([
    child('none', undefined, { maxRestarts: 0 }),
    child('own'),
    supervisor('all', 'one-for-all', { maxRestarts: 0 }),
    child('with', 'all', { maxRestarts: 0 }),
    child('sibling', 'all'),
    child('temporary', 'all', { restart: 'temporary' }),
    supervisor('transient', 'one-for-one', { restart: 'transient' }),
    child('below', 'transient', { maxRestarts: 0 }),
  ])
  const names = ['none', 'own', 'with', 'sibling', 'temporary', 'below']
  t.deepEqual(
    names.filter((name) => supervision.mayRestart(name)),
    ['own', 'with', 'sibling', 'below'],
  )
  t.deepEqual(
    names.filter((name) => supervision.mayBeOutlived(name)),
    ['temporary', 'below'],
  )
  t.deepEqual(
    names.map((name) => supervision.topOf(name)),
    [undefined, undefined, 'all', 'all', 'all', 'transient'],
  )
})
