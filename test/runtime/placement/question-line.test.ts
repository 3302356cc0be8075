import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import type comlink from 'comlink'
import { answerQuestions, QuestionLine } from '../../../runtime/placement/question-line.js'

function line(answer: Parameters<typeof answerQuestions>[2]) {
  const { port1, port2 } = new MessageChannel()
  answerQuestions(port2 as unknown as comlink.Endpoint, 'actor', answer)
  port2.start()
  const asked = new QuestionLine(port1 as unknown as comlink.Endpoint, 'actor')
  port1.start()
  return { asked, ours: port1, theirs: port2, close: () => port1.close() }
}

test('every question gets its own answer, whichever is ready first', async (t) => {
  const releases: (() => void)[] = []
  const { asked, close } = line(
    (method, args) =>
      new Promise((resolve) => {
        releases.unshift(() => resolve({ ok: true, value: [method, ...args] }))
        if (releases.length === 3) for (const release of releases) release()
      }),
  )
  const answers = await Promise.all([asked.ask('a', [1]), asked.ask('b', []), asked.ask('c', [{ x: 1 }])])
  t.deepEqual(
    answers.map((reply) => reply.ok && reply.value),
    [['a', 1], ['b'], ['c', { x: 1 }]],
  )
  close()
})

test('what cannot cross, on the way there or back, is an answer with a code', async (t) => {
  const { asked, close } = line(async () => ({ ok: true, value: () => 1 }))
  for (const args of [[() => 1], []]) {
    const reply = await asked.ask('a', args)
    t.is(reply.ok ? undefined : reply.error.code, 'E_MESSAGE')
    t.is(reply.ok ? undefined : reply.error.where, 'actor')
  }
  close()
})

test('what is neither a question nor an answer is dropped', async (t) => {
  let count = 0
  const { asked, ours, theirs, close } = line(async () => ({ ok: true, value: ++count }))
  for (const odd of [undefined, null, 7, {}, { question: 'x', method: 'a', args: [] }, { question: 1, method: 'a' }])
    ours.postMessage(odd)
  for (const odd of [null, { answer: 1 }, { answer: 1, reply: 7 }, { answer: 9, reply: { ok: true } }])
    theirs.postMessage(odd)
  t.deepEqual(await asked.ask('a', []), { ok: true, value: 1 })
  close()
})

test('when nobody will answer any more, whoever waits is told', async (t) => {
  const { asked, close } = line(() => new Promise(() => {}))
  const waiting = asked.ask('a', [])
  const gone = { ok: false, error: { name: 'TroupeError', message: 'gone' } } as const
  asked.lost(gone)
  t.is(await waiting, gone)
  close()
})
