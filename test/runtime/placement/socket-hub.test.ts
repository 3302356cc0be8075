import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import test from 'ava'
import { FrameReader, frameHead } from '../../../runtime/channel/framing.js'
import type { Frame } from '../../../runtime/channel/protocol.js'
import type { Wire } from '../../../runtime/channel/wire.js'
import { decode, encode } from '../../../runtime/channel/wire-codec.js'
import { realClock } from '../../../runtime/index.js'
import { socketEnd } from '../../../runtime/placement/processes.js'
import { hubs, socketPair } from './sockets.js'
import { DEADLINE_MS } from './support.js'

const frame = (message: unknown) => ({ type: 'data', message }) as Frame
const within = <T>(work: Promise<T>) => realClock.deadline(work, DEADLINE_MS, 'what the test waits for')
const next = (wire: Wire) => within(new Promise((resolve) => wire.listen(resolve)))
const end = (wire: Wire) => within(new Promise<void>((resolve) => wire.closed?.(resolve)))

async function stranger(path: string, ...pieces: (string | Uint8Array)[]): Promise<Socket> {
  const socket = connect(path)
  socket.on('error', () => {})
  for (const piece of pieces) socket.write(piece)
  return socket
}

test.serial('either end may come first', async (t) => {
  const { path, listening, connecting } = await hubs(t)
  for (const first of [listening, connecting]) {
    const second = first === listening ? connecting : listening
    const place = socketEnd(path)
    const early = first.wire(place)
    early.post(frame('early'))
    // a second wire, all the way, shows that the first one's connection has been seen
    const other = socketEnd(path)
    connecting.wire(other).post(frame('other'))
    await next(listening.wire(other))
    const late = second.wire(place)
    t.deepEqual(await next(late), frame('early'))
    late.post(frame('late'))
    t.deepEqual(await next(early), frame('late'))
  }
  t.is(listening.dropped, 0)
})

test.serial('a connection without a good token is dropped and counted', async (t) => {
  const { path, listening, connecting } = await hubs(t, { rendezvousMs: 20 })
  const wrong = [
    await stranger(path, 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'),
    await stranger(path, 'TRP1', '0'.repeat(32)),
    await stranger(path, 'TRP1'),
  ]
  await within(Promise.all(wrong.map((socket) => once(socket, 'close'))))
  t.is(listening.dropped, 3)
  const place = socketEnd(path)
  const right = connecting.wire(place)
  right.post(frame('welcome'))
  t.deepEqual(await next(listening.wire(place)), frame('welcome'))
})

test.serial('a token is good for one connection', async (t) => {
  const { path, listening } = await hubs(t)
  const place = socketEnd(path)
  await stranger(path, `TRP1${place.token}`)
  const second = await stranger(path, `TRP1${place.token}`)
  await within(once(second, 'close'))
  t.is(listening.dropped, 1)
})

test.serial('a wire whose peer never comes is told so', async (t) => {
  const { path, listening, connecting } = await hubs(t, { rendezvousMs: 20 })
  await end(listening.wire(socketEnd(path)))
  await end(connecting.wire(socketEnd(`${path}.nowhere`)))
  t.pass()
})

test.serial('a frame that cannot be decoded arrives as undefined, and the next one is read', async (t) => {
  const { path, listening } = await hubs(t)
  const place = socketEnd(path)
  const body = Buffer.from('this is no structured clone')
  const good = encode(frame('good'))
  const torn = { body: encode(new Float64Array(3)).body.subarray(0, -5), segments: [] }
  await stranger(
    path,
    `TRP1${place.token}`,
    ...[{ body, segments: [] }, torn, good].flatMap((each) => [frameHead(each), each.body]),
  )
  const got: unknown[] = []
  const wire = listening.wire(place)
  await within(new Promise<void>((resolve) => wire.listen((raw) => got.push(raw) === 3 && resolve())))
  t.deepEqual(got, [undefined, undefined, frame('good')])
})

test.serial('bytes that are no frames end the wire', async (t) => {
  const { path, listening } = await hubs(t)
  for (const garbled of [Buffer.from('neither head nor tail'), headOf(0x54000001, 5, 2 ** 31), headOf(0x54ffffff, 1)]) {
    const place = socketEnd(path)
    const wire = listening.wire(place)
    const ended = end(wire)
    const socket = await stranger(path, `TRP1${place.token}`, garbled)
    await ended
    await within(once(socket, 'close'))
  }
  t.pass()
})

function headOf(...words: number[]): Buffer {
  const head = Buffer.alloc(words.length * 4)
  words.forEach((word, i) => {
    head.writeUInt32LE(word, i * 4)
  })
  return head
}

test.serial('the end of a peer in the middle of a frame is told, and the half of a frame is not', async (t) => {
  const { path, listening } = await hubs(t)
  const place = socketEnd(path)
  const wire = listening.wire(place)
  const got: unknown[] = []
  wire.listen((raw) => got.push(raw))
  const ended = end(wire)
  const encoded = encode(frame('torn'))
  const socket = await stranger(path, `TRP1${place.token}`, frameHead(encoded), encoded.body.subarray(0, 5))
  socket.end()
  await ended
  t.deepEqual(got, [])
})

test.serial('shared memory is refused by name, in an array too; typed arrays arrive as tight copies', async (t) => {
  const [left, right] = await socketPair(t)
  const memory = new SharedArrayBuffer(8)
  for (const message of [memory, { deep: [new Int32Array(memory)] }]) {
    const error = t.throws(() => left.post(frame(message)), { code: 'E_MESSAGE' })
    t.regex(error.message, /SharedArrayBuffer\) cannot cross to another process/)
  }
  const buffer = new ArrayBuffer(1_000_000)
  const views = [new Float32Array(buffer, 400, 5), new Uint8Array(buffer, 1, 200_000)]
  left.post(frame(views))
  const { message } = (await next(right)) as unknown as { message: ArrayBufferView[] }
  t.deepEqual(
    message.map((view) => [view.byteOffset, view.buffer.byteLength]),
    [
      [0, 20],
      [0, 200_000],
    ],
  )
})

test('a frame above the limit is refused by the sender, and by the reader', (t) => {
  const encoded = encode(new Uint8Array(100_000))
  t.throws(() => frameHead(encoded, 100_000), { code: 'E_MESSAGE', message: /too long/ })
  const reader = new FrameReader(() => t.fail(), 100_000)
  t.false(reader.push(frameHead(encoded)))
})

test('frames are put together whatever the pieces they come in', (t) => {
  const values = [1, 'two', new Float32Array(20_000).fill(3), { four: new Uint8Array(5) }, new Int8Array(0)]
  const bytes = Buffer.concat(
    values.flatMap((value) => {
      const encoded = encode(value)
      return [frameHead(encoded), encoded.body, ...encoded.segments]
    }),
  )
  for (const size of [1, 3, 7, 4096, bytes.length]) {
    const got: unknown[] = []
    const reader = new FrameReader((each) => got.push(decode(each)))
    for (let at = 0; at < bytes.length; at += size) t.true(reader.push(bytes.subarray(at, at + size)))
    t.deepEqual(got, values)
  }
})

test.serial('what was posted leaves before a hub is closed, and its socket is removed', async (t) => {
  const { path, listening, connecting } = await hubs(t)
  const place = socketEnd(path)
  const here = listening.wire(place)
  connecting.wire(place).post(frame(new Uint8Array(10_000_000).fill(7)))
  const coming = next(here)
  await connecting.close(DEADLINE_MS)
  const { message } = (await coming) as unknown as { message: Uint8Array }
  t.true(message.every((n) => n === 7) && message.length === 10_000_000)
  await listening.close(DEADLINE_MS)
  t.false(existsSync(path))
})
