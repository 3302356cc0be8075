import test from 'ava'
import { chooseBackend, crowded, refuseThreads, type Whereabouts } from '../../cli/backends.js'
import { selfRewarding } from '../../scenarios/self-rewarding.js'

const { computing } = selfRewarding
const all = Object.fromEntries((computing ?? []).map((role) => [role, 'process']))
const threads = (place: Readonly<Record<string, string>>): Whereabouts => ({
  ...{ stage: 'threads', computing, config: { place } },
})

test('the roles that compute, as the scenario says, are those that would share a process', (t) => {
  t.deepEqual(computing, ['prompt-generator', 'sampler', 'judge', 'meta-judge', 'learner', 'evaluator'])
  t.deepEqual(crowded(threads({})), computing)
  t.deepEqual(crowded(threads({ ...all, judge: 'thread', learner: 'inline' })), ['judge', 'learner'])
  t.deepEqual(crowded(threads(all)), [])
  t.deepEqual(crowded(threads({ ...all, source: 'thread' })), [], 'one that does not compute may be a thread')
  t.deepEqual(crowded({ ...threads({}), stage: 'inline' }), [])
  t.deepEqual(crowded({ ...threads({}), stage: 'virtual' }), [])
  t.deepEqual(crowded({ stage: 'threads', config: { place: all } }), ['every role'], 'a scenario that does not say')
})

test.serial('tensorflow is refused to threads that would share a process, by name and with what to do', (t) => {
  const refused = t.throws(
    () => refuseThreads('tensorflow', threads({ ...all, judge: 'thread', evaluator: 'thread' })),
    {
      code: 'E_BACKEND',
      message: 'tensorflow computes in one thread of a process, and judge, evaluator would be threads of one',
    },
  )
  t.regex(
    (refused as { hint?: string }).hint ?? '',
    /^Give each a process \(--set place\.judge=process --set place\.evaluator=process\), use --stage inline, or set/,
  )
  t.notThrows(() => refuseThreads('tensorflow', threads(all)))
  t.notThrows(() => refuseThreads('tensorflow', { ...threads({}), stage: 'inline' }))
  t.notThrows(() => refuseThreads('onnx', threads({})))
  process.env.TROUPE_TENSORFLOW_THREADS = 'many'
  t.notThrows(() => refuseThreads('tensorflow', threads({})))
  delete process.env.TROUPE_TENSORFLOW_THREADS
})

test('a backend that bears threads is taken wherever the roles live', async (t) => {
  t.is((await chooseBackend('cpu', threads({}))).backend, 'cpu')
  t.is((await chooseBackend('onnx', threads({}))).backend, 'onnx')
})
