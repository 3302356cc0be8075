import test from 'ava'
import { TroupeError } from '../../../../runtime/index.js'
import { demonstrationOf, pairOf, promptOf } from '../../../../scenarios/worlds/files/shapes.js'

const row = (value: Record<string, unknown>) => ({ where: 'a.jsonl, line 1', value })
const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })
const [ask, answer, more, good, bad] = [user('hi'), assistant('ho'), user('more'), assistant('good'), assistant('bad')]

test('a prompt stands in any of the shapes', (t) => {
  t.is(promptOf(row({ prompt: 'hi' })), 'hi')
  t.is(promptOf(row({ prompt: 'hi', chosen: 'good', rejected: 'bad' })), 'hi')
  t.is(promptOf(row({ prompt: 'hi', messages: null })), 'hi')
  const system = { role: 'system', content: 'be short' }
  t.deepEqual(promptOf(row({ prompt: [system, ask] })), [system, ask])
  t.deepEqual(promptOf(row({ messages: [ask, answer, more, good] })), [ask, answer, more])
  t.deepEqual(promptOf(row({ messages: [ask] })), [ask])
  t.deepEqual(promptOf(row({ chosen: [ask, good], rejected: [ask, bad] })), [ask])
  t.deepEqual(promptOf(row({ prompt: 'hi', chosen: [ask, good], rejected: [ask, bad] })), [ask])
})

test('pairs: explicit and implicit prompts, texts and turns', (t) => {
  const texts = { prompt: 'hi', chosen: 'good', rejected: '' }
  t.deepEqual(pairOf(row({ ...texts, margin: 2 })), texts)
  const turns = { prompt: [ask], chosen: [good], rejected: [bad] }
  t.deepEqual(pairOf(row(turns)), { prompt: [ask], chosen: 'good', rejected: 'bad' })
  t.deepEqual(pairOf(row({ ...turns, prompt: 'hi' })), { prompt: 'hi', chosen: 'good', rejected: 'bad' })
  const whole = { chosen: [ask, answer, more, good], rejected: [ask, answer, more, bad] }
  const extracted = { prompt: [ask, answer, more], chosen: 'good', rejected: 'bad' }
  t.deepEqual(pairOf(row(whole)), extracted)
  t.deepEqual(pairOf(row({ ...whole, prompt: 'hi' })), extracted, 'as UltraFeedback has it')
  t.deepEqual(pairOf(row({ ...whole, prompt: [ask, answer, more] })), extracted, 'the prompt is said twice')
  t.deepEqual(pairOf(row({ chosen: [ask, good], rejected: [ask, good] })), {
    prompt: [ask],
    chosen: 'good',
    rejected: 'good',
  })
})

test('demonstrations: prompt and completion, or a conversation', (t) => {
  t.deepEqual(demonstrationOf(row({ prompt: 'hi', completion: ' ho' })), { prompt: 'hi', completion: ' ho' })
  t.deepEqual(demonstrationOf(row({ prompt: [ask], completion: [answer] })), { prompt: [ask], completion: 'ho' })
  t.deepEqual(demonstrationOf(row({ messages: [ask, answer, more, good] })), {
    prompt: [ask, answer, more],
    completion: 'good',
  })
})

const wrong: [read: (record: ReturnType<typeof row>) => unknown, value: Record<string, unknown>, message: RegExp][] = [
  [promptOf, {}, /^prompt is missing$/],
  [promptOf, { question: 'hi' }, /^prompt is missing$/],
  [promptOf, { prompt: 3 }, /^prompt is a number$/],
  [promptOf, { prompt: '  \n' }, /^prompt is empty$/],
  [promptOf, { prompt: [] }, /^prompt is an empty list$/],
  [promptOf, { prompt: [ask, 'x'] }, /^prompt\[1\]\.role is missing$/],
  [promptOf, { prompt: [{ role: 'user', content: [{ type: 'image' }] }] }, /^prompt\[0\]\.content is a list/],
  [promptOf, { prompt: [{ ...ask, tool_calls: [{}] }] }, /tool_calls is given/],
  [promptOf, { prompt: [ask, answer] }, /^prompt has a prompt that ends with an answer$/],
  [promptOf, { messages: [answer, ask] }, /^messages begins with an answer$/],
  [pairOf, { prompt: 'hi', chosen: 'good' }, /^rejected is missing$/],
  [pairOf, { chosen: 'good', rejected: 'bad' }, /^prompt is missing$/],
  [pairOf, { prompt: 'hi', chosen: 'good', rejected: [bad] }, /^rejected is a list where chosen is a text$/],
  [
    pairOf,
    { chosen: [user('a'), good], rejected: [user('b'), bad] },
    /^prompt is missing, and chosen and rejected have/,
  ],
  [pairOf, { chosen: [ask, good, more], rejected: [ask, bad] }, /^chosen goes on for 2 turns after its prompt/],
  [pairOf, { prompt: [ask], chosen: [good], rejected: [more, bad] }, /^rejected has no answer of the assistant/],
  [demonstrationOf, { prompt: 'hi' }, /^completion is missing, as is messages$/],
  [demonstrationOf, { completion: 'ho' }, /^prompt is missing$/],
  [demonstrationOf, { messages: [ask, answer, more] }, /^messages goes on for 2 turns after its prompt/],
]

test('what a row lacks is said by row and field', (t) => {
  for (const [read, value, message] of wrong) {
    const error = t.throws(() => read(row(value)), { instanceOf: TroupeError, code: 'E_DATA', message })
    t.is((error as TroupeError).where, 'a.jsonl, line 1')
  }
})
