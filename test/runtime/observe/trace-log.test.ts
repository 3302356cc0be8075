import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { canonicalJson } from '../../../runtime/observe/canonical.js'
import { compareTraces, describeDifference } from '../../../runtime/observe/compare-traces.js'
import type { ActorIdentity, RunEvent } from '../../../runtime/observe/events.js'
import { openTraceLog } from '../../../runtime/observe/trace-log.js'

const judge: ActorIdentity = { name: 'judge/1', role: 'judge', replica: 1 }
const folder = () => mkdtempSync(join(tmpdir(), 'troupe-trace-'))
const metric = (at: number, value: number): RunEvent => ({ type: 'metric', actor: judge, at, name: 'reward', value })

function written(events: readonly RunEvent[]): { path: string; text: string; hash: string; lines: number } {
  const path = join(folder(), 'events.jsonl')
  const log = openTraceLog(path)
  for (const event of events) log.observe(event)
  log.close()
  return { path, text: readFileSync(path, 'utf8'), hash: log.hash(), lines: log.lines }
}

test('an event is one line: sorted keys, exact numbers', (t) => {
  const span: RunEvent = {
    type: 'span',
    start: 0.1 + 0.2,
    queuedAt: 0,
    end: 1e21,
    name: 'judge',
    actor: { role: 'judge', name: 'judge/1', replica: 1 },
    attributes: { tokens: 3, batch: 'b' },
  }
  t.is(
    written([span]).text,
    '{"actor":{"name":"judge/1","replica":1,"role":"judge"},"attributes":{"batch":"b","tokens":3},"end":1e+21,"name":"judge","queuedAt":0,"start":0.30000000000000004,"type":"span"}\n',
  )
})

test('what JSON cannot say is spelled, each value its own way', (t) => {
  t.is(canonicalJson([Number.NaN, Number.POSITIVE_INFINITY, -0, 0]), '[{"$number":"NaN"},{"$number":"Infinity"},-0,0]')
  t.is(canonicalJson({ b: undefined, a: [undefined, null, 12n] }), '{"a":[null,null,{"$bigint":"12"}]}')
  t.is(canonicalJson(Float32Array.of(0.5, Number.NaN)), '{"$Float32Array":[0.5,{"$number":"NaN"}]}')
  t.is(canonicalJson(new Map([['k', new Set([1])]])), '{"$Map":[["k",{"$Set":[1]}]]}')
  t.is(canonicalJson(Uint8Array.of(1, 2).buffer), '{"$ArrayBuffer":"AQI="}')
  t.is(canonicalJson(new DataView(Uint8Array.of(9, 1, 2).buffer, 1)), '{"$DataView":"AQI="}')
  t.is(
    canonicalJson([new Date(5), /x/g, new RangeError('no')]),
    '[{"$Date":5},{"$RegExp":"/x/g"},{"$Error":"RangeError: no"}]',
  )
  const circle: unknown[] = []
  circle.push(circle)
  t.regex(canonicalJson(circle), /^\[+"\[deep\]"\]+$/)
})

test('canonical text is JSON that says the same, whatever the order of keys', (t) => {
  const property = fc.property(fc.jsonValue(), (value) => {
    const text = canonicalJson(value)
    t.deepEqual(JSON.parse(text), value)
    t.is(canonicalJson(reordered(value)), text)
    t.false(text.includes('\n'))
  })
  fc.assert(property, { seed: 1, numRuns: 300 })
})

function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reordered(item)]),
  )
}

test('the hash is that of the file, and does not depend on when it is asked for', (t) => {
  const events = Array.from({ length: 3000 }, (_, i) => metric(i, Math.sin(i)))
  const { text, hash, lines } = written(events)
  t.is(hash, createHash('sha256').update(text).digest('hex'))
  t.is(lines, 3000)
  const log = openTraceLog(join(folder(), 'events.jsonl'))
  const half = written(events.slice(0, 1500)).hash
  for (const event of events.slice(0, 1500)) log.observe(event)
  t.is(log.hash(), half)
  for (const event of events.slice(1500)) log.observe(event)
  t.is(log.hash(), hash)
  log.close()
  log.observe(metric(0, 0))
  t.is(log.hash(), hash, 'nothing is added to a closed trace')
  t.not(written(events.toReversed()).hash, hash)
})

test('a trace that is cut and gone on with has the hash of one that never was', (t) => {
  const events = Array.from({ length: 40_000 }, (_, i) => metric(i, Math.sin(i)))
  const whole = written(events)
  t.true(whole.text.length > 2 ** 21, 'it is read back in pieces')
  const path = join(folder(), 'events.jsonl')
  const first = openTraceLog(path)
  for (const event of events.slice(0, 25_000)) first.observe(event)
  const resumeAt = first.mark()
  for (const event of events.slice(30_000)) first.observe(event) // lost
  first.close()
  const second = openTraceLog(path, { resumeAt })
  t.is(second.lines, 25_000)
  for (const event of events.slice(25_000)) second.observe(event)
  second.close()
  t.is(second.hash(), whole.hash)
  t.is(second.lines, 40_000)
  t.is(readFileSync(path, 'utf8'), whole.text)
  t.throws(() => openTraceLog(path, { resumeAt: whole.text.length + 1 }), { code: 'E_JOURNAL' })
})

test('logs count; what the machine did, and where Troupe is installed, do not', (t) => {
  const log: RunEvent = { type: 'log', actor: judge, at: 1, level: 'info', message: 'ü\n' }
  const usage = { type: 'usage', actor: judge, at: 1, cpu: 0.4 } as unknown as RunEvent
  t.is(written([log, usage]).lines, 1)
  t.not(written([log]).hash, written([{ ...log, message: 'u' } as RunEvent]).hash)
  const failed = (stack: string): RunEvent => {
    const cause = { name: 'Error', message: 'why', stack }
    return { type: 'state', actor: judge, at: 2, state: 'failed', error: { name: 'Error', message: 'x', stack, cause } }
  }
  t.is(written([failed('at /home/a')]).hash, written([failed('at /home/b')]).hash)
  const aside = (stack: string): RunEvent => {
    return { type: 'aside', actor: judge, at: 2, input: 'in', error: { name: 'Error', message: 'x', stack } }
  }
  t.is(written([aside('at /home/a')]).hash, written([aside('at /home/b')]).hash)
  t.regex(written([failed('at /home/a')]).text, /"cause":\{"message":"why","name":"Error"\}/)
})

test('equal traces have no difference', async (t) => {
  const events = Array.from({ length: 2000 }, (_, i) => metric(i, i))
  t.is(await compareTraces(written(events).path, written(events).path), undefined)
  t.is(await compareTraces(written([]).path, written([]).path), undefined)
})

test('the first difference is found and told', async (t) => {
  const events = Array.from({ length: 2000 }, (_, i) => metric(i / 2, i))
  const changed = events.with(1500, metric(750, -1)).with(1700, metric(1, 1))
  const found = await compareTraces(written(events).path, written(changed).path)
  t.like(found, { line: 1501, actor: 'judge/1', at: 750, before: canonicalJson(events[1499]) })
  t.deepEqual(describeDifference(found!, ['recorded', 'replayed']), [
    'first difference in line 1501: judge/1 at 750 ms',
    '  value: recorded 1500, replayed -1',
    `  before    ${canonicalJson(events[1499])}`,
    `  recorded  ${canonicalJson(events[1500])}`,
    `  replayed  ${canonicalJson(changed[1500])}`,
  ])
})

test('a trace that ends early differs there, on either side; the first line may differ', async (t) => {
  const events = [metric(1, 1), metric(2, 2), metric(3, 3)]
  const [long, short] = [written(events), written(events.slice(0, 2))]
  t.like(await compareTraces(long.path, short.path), { line: 3, b: undefined, at: 3 })
  const missing = await compareTraces(short.path, long.path)
  t.like(missing, { line: 3, a: undefined, at: 3, actor: 'judge/1' })
  t.is(describeDifference(missing!, ['a', 'b'])[2], '  a       (the trace has ended)')
  const first = await compareTraces(long.path, written([]).path)
  t.like(first, { line: 1, before: undefined })
  t.regex(describeDifference(first!, ['a', 'b'])[1]!, /nothing: it is the first event/)
})

test('long events are shown around what differs, torn lines as they are', async (t) => {
  const record = (text: string): RunEvent => ({ type: 'record', actor: judge, at: 1, kind: 'sample', value: { text } })
  const filler = 'x'.repeat(5000)
  const found = await compareTraces(
    written([record(`${filler}a${filler}`)]).path,
    written([record(`${filler}b${filler}`)]).path,
  )
  const lines = describeDifference(found!, ['a', 'b'])
  t.true(lines.every((line) => line.length < 600))
  t.regex(lines.at(-2)!, /^ {2}a {7}…x+ax+…$/)
  t.regex(lines.at(-1)!, /^ {2}b {7}…x+bx+…$/)
  const torn = join(folder(), 'events.jsonl')
  writeFileSync(torn, '{"actor":{"na')
  const other = await compareTraces(torn, written([metric(1, 1)]).path)
  t.like(other, { line: 1, a: '{"actor":{"na', actor: undefined, at: undefined })
  t.is(describeDifference(other!, ['a', 'b'])[0], 'first difference in line 1')
})

test('a trace that is not there is named', async (t) => {
  const { path } = written([])
  await t.throwsAsync(compareTraces(path, '/no/such/events.jsonl'), {
    code: 'E_DATA',
    message: 'there is no trace at "/no/such/events.jsonl"',
  })
})
