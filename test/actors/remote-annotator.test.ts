import { inspect } from 'node:util'
import test from 'ava'
import type { z } from 'zod'
import { createRemoteAnnotator } from '../../actors/remote-annotator.js'
import { remoteSchema, shareOf } from '../../actors/remote-config.js'
import { type Clock, realClock, seededRandom, TroupeError } from '../../runtime/index.js'
import { toWire } from '../../runtime/kernel/errors.js'
import { type Answer, type Received, says, serveApi } from './fixtures/api-server.js'

const random = seededRandom(1)
const match = (first = 'owl', second = 'wolf') => ({ prompt: 'name a bird', first, second, random })
const question = (answer = 'owl') => ({ prompt: 'name a bird', answer, random })
const signal = new AbortController().signal
const raterOf = (baseURL: string, more: Partial<z.input<typeof remoteSchema>> = {}, options = {}) =>
  createRemoteAnnotator(remoteSchema.parse({ baseURL, model: 'm', requestsPerMinute: 1e9, ...more }), {
    signal,
    ...options,
  })

/** A clock at noon on which nothing takes time, and the pauses that were made on it. */
function stillClock() {
  const slept: number[] = []
  const clock: Clock = {
    ...realClock,
    now: () => Date.parse('2026-01-01T12:00:00Z'),
    sleep: async (ms) => void slept.push(ms),
  }
  return { slept, clock }
}

const failed = async (work: Promise<unknown>): Promise<TroupeError> =>
  work.then(
    () => new TroupeError('E_INVARIANT', 'it did not fail'),
    (error) => error,
  )

test('what is sent: model, temperature 0, the instruction, both answers in their places, and no key where none is named', async (t) => {
  const api = await serveApi(t, () => says('1'))
  await raterOf(api.baseURL, { instruction: 'Prefer shorter answers.' }).compare([match('owl', 'wolf')])
  await raterOf(api.baseURL, { logprobs: false, maxTokens: 99 }).score([question()])
  const [compared, scored] = api.received as [Received, Received]
  t.is(compared.url, '/v1/chat/completions')
  t.like(compared.body, { model: 'm', temperature: 0, logprobs: true, top_logprobs: 5, max_tokens: 8 })
  t.regex(compared.body.messages[0]!.content, /1 .*or 2[\s\S]*Prefer shorter answers\.$/)
  t.regex(compared.body.messages[1]!.content, /name a bird[\s\S]*Answer 1:\nowl[\s\S]*Answer 2:\nwolf/)
  t.like(scored.body, { temperature: 0, max_tokens: 99, logprobs: undefined })
  t.regex(scored.body.messages[0]!.content, /Score: <points>$/)
  t.is(compared.authorization, 'Bearer none')
})

const OPINIONS: readonly (readonly [string, Answer, unknown])[] = [
  ['1', says('1'), 'first'],
  ['2 with a stop', says(' 2.\n'), 'second'],
  ['a digit in stars', says('**1**'), 'first'],
  ['both digits', says('1 or 2'), 'invalid'],
  ['another digit', says('3'), 'invalid'],
  ['a sentence', says('The first one is better.'), 'invalid'],
  ['nothing', says(''), 'invalid'],
  ['no content', says(null), 'invalid'],
  ['no choices', { body: { choices: [] } }, 'invalid'],
  [
    'log-probabilities',
    says('1', [
      ['1', 0.6],
      ['2', 0.3],
    ]),
    0.6 / 0.9,
  ],
  [
    'those of the second',
    says('2', [
      ['2', 0.6],
      ['1', 0.2],
    ]),
    0.2 / 0.8,
  ],
  [
    'tokens that say the same',
    says('1', [
      ['1', 0.5],
      [' 1', 0.1],
      ['2', 0.2],
    ]),
    0.6 / 0.8,
  ],
  [
    'one digit alone',
    says('2', [
      ['2', 0.9],
      ['The', 0.1],
    ]),
    'second',
  ],
  [
    'a first token that is no digit',
    says('The first', [
      ['The', 0.9],
      ['1', 0.05],
      ['2', 0.01],
    ]),
    'invalid',
  ],
  [
    'log-probabilities of another form',
    { body: { choices: [{ message: { content: '2' }, logprobs: [1] }] } },
    'second',
  ],
]
for (const [name, answer, opinion] of OPINIONS)
  test(`a comparison: ${name} → ${typeof opinion === 'number' ? opinion.toFixed(2) : opinion}`, async (t) => {
    const api = await serveApi(t, () => answer)
    const [read] = await raterOf(api.baseURL).compare([match()])
    if (typeof opinion === 'number') t.true(Math.abs((read as number) - opinion) < 1e-12, `${read}`)
    else t.is(read, opinion as 'first')
  })

const SCORES: readonly (readonly [string, string | null, number | undefined])[] = [
  ['the last line', 'It is a bird.\nScore: 4', 4],
  ['in stars, of five, with a stop', 'Good.\n**Score: 3.5/5.**\n', 3.5],
  ['the last of two', 'Score: 1\nbut then\nscore: 5', 5],
  ['a score that is not last', 'Score: 4\nI hope that this helps.', undefined],
  ['too many points', 'Score: 6', undefined],
  ['more than five', 'Score: 5.5', undefined],
  ['fewer than none', 'Score: -1', undefined],
  ['no number', 'Score: four', undefined],
  ['no content', null, undefined],
]
for (const [name, text, score] of SCORES)
  test(`points: ${name} → ${score ?? 'unreadable'}`, async (t) => {
    const api = await serveApi(t, () => says(text))
    const [read] = await raterOf(api.baseURL).score([question()])
    t.deepEqual(
      read,
      score === undefined ? { verdicts: [], unreadable: 1 } : { score, verdicts: [score], unreadable: 0 },
    )
  })

test('answers come in the order of the questions, with no more under way than allowed', async (t) => {
  const held: (() => void)[] = []
  const api = await serveApi(t, async ({ body }) => {
    const points = /Answer:\n(\d)/.exec(body.messages[1]!.content)![1]!
    // the first three wait for one another, and are answered last first
    if (held.length < 3) await new Promise<void>((go) => held.push(go) === 3 && held.toReversed().map((each) => each()))
    return says(`Score: ${points}`)
  })
  const points = [0, 1, 2, 3, 4, 5]
  const judgments = await raterOf(api.baseURL, { concurrency: 3 }).score(points.map((n) => question(`${n}`)))
  t.deepEqual(
    judgments.map(({ score }) => score),
    points,
  )
  t.is(api.underWay.most, 3)
})

test('429 and 503 are tried again after the pause that they ask for, in seconds or by date', async (t) => {
  const { slept, clock } = stillClock()
  const busy = (after: string): Answer => ({ status: 429, headers: { 'retry-after': after } })
  const api = await serveApi(t, (_, n) => [busy('7'), busy('Thu, 01 Jan 2026 12:00:02 GMT'), busy('0'), says('2')][n]!)
  t.deepEqual(await raterOf(api.baseURL, {}, { clock }).compare([match()]), ['second'])
  t.deepEqual(slept, [7000, 2000, 0])
})

test('without a pause that is asked for, pauses double from half a second, less up to a quarter; then it is given up', async (t) => {
  for (const status of [500, 503, 429, 408]) {
    const { slept, clock } = stillClock()
    const api = await serveApi(t, () => ({ status, body: { error: { message: 'overloaded' } } }))
    const error = await failed(raterOf(api.baseURL, { maxRetries: 6 }, { clock }).compare([match()]))
    t.is(error.code, 'E_REMOTE')
    t.regex(error.sentence(), new RegExp(`it answers: ${status} overloaded .*${api.host}`))
    t.is(api.received.length, 7)
    for (const [i, most] of [500, 1000, 2000, 4000, 8000, 8000].entries())
      t.true(slept[i]! <= most && slept[i]! >= 0.75 * most, `${slept}`)
  }
})

test('a longer pause than allowed is a failure, and not waited for', async (t) => {
  const { slept, clock } = stillClock()
  const api = await serveApi(t, () => ({ status: 429, headers: { 'retry-after': '61' } }))
  t.is((await failed(raterOf(api.baseURL, {}, { clock }).compare([match()]))).code, 'E_REMOTE')
  t.deepEqual([slept, api.received.length], [[], 1])
})

test('no answer in time is tried again, whether nothing comes or only its beginning; nobody there is, too', async (t) => {
  for (const hang of ['all', 'body'] as const) {
    const { slept, clock } = stillClock()
    const api = await serveApi(t, (_, n) => (n === 0 ? { hang } : says('1')))
    const rater = raterOf(api.baseURL, { timeoutMs: 300, maxRetries: 20 }, { clock })
    t.deepEqual(await rater.compare([match()]), ['first'])
    t.true(slept.length > 0 && slept[0]! <= 500, `${slept}`)
  }
  const { slept, clock } = stillClock()
  const silent = await serveApi(t, () => ({ hang: 'all' }))
  const late = await failed(raterOf(silent.baseURL, { timeoutMs: 20, maxRetries: 1 }, { clock }).compare([match()]))
  t.is(late.code, 'E_REMOTE')
  t.regex(late.message, /no answer within 20 ms/)
  const nobody = await failed(raterOf('http://127.0.0.1:1/v1', { maxRetries: 1 }, { clock }).compare([match()]))
  t.is(nobody.code, 'E_REMOTE')
  t.regex(nobody.sentence(), /cannot be asked: .*127\.0\.0\.1:1/)
  t.is(slept.length, 2)
})

const BROKEN: readonly (readonly [string, Answer])[] = [
  ['malformed JSON', { body: '{"choices": [' }],
  ['a page', { body: '<html>hello</html>', headers: { 'content-type': 'text/html' } }],
  ['another object', { body: { text: '1' } }],
  ['choices of another form', { body: { choices: ['1'] } }],
  ['content of another form', { body: { choices: [{ message: { content: 1 } }] } }],
]
for (const [name, answer] of BROKEN)
  test(`a reply that is no chat completion is an error, not an opinion: ${name}`, async (t) => {
    const api = await serveApi(t, () => answer)
    t.is((await failed(raterOf(api.baseURL).compare([match()]))).code, 'E_REMOTE')
    t.is(api.received.length, 1)
  })

test('a refused key, model or address is E_CONFIG; the key is in no error, wherever the server puts it', async (t) => {
  const key = 'sk-never-to-be-seen'
  process.env.TROUPE_TEST_KEY = key
  for (const status of [401, 403, 404, 400]) {
    const body = { error: { message: `Incorrect API key provided: ${key}.`, param: key } }
    const api = await serveApi(t, () => ({ status, headers: { 'x-request-id': key }, body }))
    const rater = raterOf(api.baseURL, { apiKeyEnv: 'TROUPE_TEST_KEY' })
    const error = await failed(rater.compare([match()]))
    t.is(error.code, status === 400 ? 'E_REMOTE' : 'E_CONFIG')
    t.regex(error.message, /provided: \*\*\*\./)
    t.is(api.received[0]!.authorization, `Bearer ${key}`)
    for (const shown of [inspect(error, { depth: 9 }), JSON.stringify(toWire(error)), error.sentence(), inspect(rater)])
      t.false(shown.includes(key), shown)
  }
})

test('a key that is named must be there; a key in place of its name is refused and not repeated', (t) => {
  const error = t.throws(() => raterOf('http://localhost/v1', { apiKeyEnv: 'TROUPE_TEST_NO_KEY' })) as TroupeError
  t.is(error.code, 'E_CONFIG')
  t.regex(error.message, /TROUPE_TEST_NO_KEY is not set/)
  const read = remoteSchema.safeParse({ baseURL: 'http://localhost/v1', model: 'm', apiKeyEnv: 'sk-abc' })
  t.regex(read.error!.message, /name of an environment variable/)
  t.false(read.error!.message.includes('sk-abc'))
})

test('what the environment says of OpenAI’s own API is not sent to another', async (t) => {
  Object.assign(process.env, { OPENAI_API_KEY: 'sk-other', OPENAI_ORG_ID: 'org-x', OPENAI_PROJECT_ID: 'proj-x' })
  const api = await serveApi(t, () => says('1'))
  await raterOf(api.baseURL).compare([match()])
  const sent = inspect(api.received[0]!.headers)
  for (const own of ['sk-other', 'org-x', 'proj-x']) t.false(sent.includes(own), sent)
})

test('a batch that the budget does not suffice for is refused whole, before any of it is asked', async (t) => {
  const api = await serveApi(t, () => says('1'))
  const rater = raterOf(api.baseURL, { budget: 5 })
  await rater.compare([match(), match(), match()])
  const error = await failed(rater.compare([match(), match(), match()]))
  t.is(error.code, 'E_BUDGET')
  t.regex(error.message, /of 5 requests 3 are made, and this batch needs 3 more/)
  t.is(api.received.length, 3)
  t.is((await rater.compare([match(), match()])).length, 2)
})

test('further tries are part of the budget: it is never passed, and what they use up ends the batch', async (t) => {
  const { clock } = stillClock()
  const api = await serveApi(t, () => ({ status: 500 }))
  const error = await failed(raterOf(api.baseURL, { budget: 3, concurrency: 1 }, { clock }).compare([match(), match()]))
  t.is(error.code, 'E_BUDGET')
  t.is(api.received.length, 3)
})

test('when one call fails for good the others end, and no further one is begun', async (t) => {
  const api = await serveApi(t, (_, n) =>
    n === 1 ? { status: 400, body: { error: { message: 'too long' } } } : { hang: 'all' },
  )
  const error = await failed(raterOf(api.baseURL, { concurrency: 2 }).compare(Array.from({ length: 9 }, () => match())))
  t.regex(error.message, /400 too long/)
  t.is(api.received.length, 2)
})

test('stopping ends what is under way, with the signal’s own reason', async (t) => {
  const stop = new AbortController()
  const api = await serveApi(t, () => {
    stop.abort(new TroupeError('E_STOPPED', 'stopped'))
    return { hang: 'all' }
  })
  const error = await failed(raterOf(api.baseURL, {}, { signal: stop.signal }).compare([match()]))
  t.is(error.code, 'E_STOPPED')
})

test('requests are evenly spaced, further tries too: at 120 a minute the nth waits n half seconds', async (t) => {
  const api = await serveApi(t, (_, n) => (n === 0 ? { status: 429, headers: { 'retry-after': '0' } } : says('1')))
  const { slept, clock } = stillClock()
  await raterOf(api.baseURL, { requestsPerMinute: 120, concurrency: 1 }, { clock }).compare([match(), match(), match()])
  t.deepEqual(slept, [0, 500, 1000, 1500])
})

test('replicas share the budget and the pace, to the last request', (t) => {
  const remote = remoteSchema.parse({ baseURL: 'http://localhost/v1', model: 'm', budget: 11, requestsPerMinute: 90 })
  const shares = [0, 1, 2].map((replica) => shareOf(remote, replica, 3))
  t.deepEqual(
    shares.map(({ budget, requestsPerMinute }) => [budget, requestsPerMinute]),
    [
      [4, 30],
      [4, 30],
      [3, 30],
    ],
  )
})
