import { concat, from, map, mergeMap, takeWhile } from 'rxjs'
import { z } from 'zod'
import { defineActor, port } from '../../runtime/index.js'
import { Meter } from './meter.js'
import { expect, JUGGLED, large, type Small, small } from './payload.js'

const span = z.strictObject({ warmMs: z.number(), measureMs: z.number() })

/** Emits small messages without end, many a turn. */
export const smallSender = defineActor({
  module: import.meta.url,
  role: 'small-sender',
  inputs: {},
  outputs: { messages: port<Small>() },
  config: z.strictObject({ perTurn: z.int() }),
  start: ({ config: { perTurn }, turn }) => ({
    streams: () => ({
      messages: turn
        .generate('write', function* () {
          for (let id = 0; ; id += perTurn) yield Array.from({ length: perTurn }, (_, i) => small(id + i))
        })
        .pipe(mergeMap((batch) => from(batch))),
    }),
  }),
})

/** Counts small messages until its meter has seen enough: straight from the stream, or with a turn for each. */
export const smallReceiver = defineActor({
  module: import.meta.url,
  role: 'small-receiver',
  inputs: { messages: port<Small>() },
  outputs: { done: port<boolean>() },
  config: z.strictObject({ span, turns: z.boolean() }),
  start: ({ config, turn }) => {
    const meter = new Meter(config.span)
    let expected = 0
    const count = ({ id }: Small) => {
      expect(id, expected++)
      return meter.tick()
    }
    return {
      streams: ({ messages }) => ({
        done: messages.pipe(
          config.turns ? turn(count) : map(count),
          takeWhile((done) => !done),
        ),
      }),
      api: { rate: () => meter.rate },
    }
  },
})

/** Emits 4 MiB a turn, which are moved. */
export const largeSender = defineActor({
  module: import.meta.url,
  role: 'large-sender',
  inputs: {},
  outputs: { buffers: port<Float32Array>({ transfer: (data) => [data.buffer as ArrayBuffer] }) },
  config: z.strictObject({}),
  start: ({ turn }) => ({
    streams: () => ({
      buffers: turn.generate('write', function* () {
        for (let id = 0; ; id++) yield large(id)
      }),
    }),
  }),
})

/** Takes one buffer a turn. */
export const largeReceiver = defineActor({
  module: import.meta.url,
  role: 'large-receiver',
  inputs: { buffers: port<Float32Array>() },
  outputs: { done: port<boolean>() },
  config: z.strictObject({ span }),
  start: ({ config, turn }) => {
    const meter = new Meter(config.span)
    let expected = 0
    const count = (data: Float32Array) => {
      expect(data[0] ?? Number.NaN, expected++)
      return meter.tick(1)
    }
    return {
      streams: ({ buffers }) => ({
        done: buffers.pipe(
          turn(count),
          takeWhile((done) => !done),
        ),
      }),
      api: { rate: () => meter.rate },
    }
  },
})

/** One of two that send the same buffers to and fro, a turn for each; the one that has them at first counts. */
export const juggler = defineActor({
  module: import.meta.url,
  role: 'juggler',
  inputs: { in: port<Float32Array>() },
  outputs: { out: port<Float32Array>({ transfer: (data) => [data.buffer as ArrayBuffer] }) },
  config: z.strictObject({ span, buffers: z.int() }),
  start: ({ config: { span, buffers }, turn }) => {
    const meter = new Meter(span)
    let next = 0
    const pass = (data: Float32Array) => {
      expect(data[0] ?? Number.NaN, next)
      next = (next + 1) % JUGGLED
      return data
    }
    return {
      streams: (inputs) => {
        if (buffers === 0) return { out: inputs.in.pipe(turn(pass)) }
        const counted = inputs.in.pipe(
          takeWhile(() => !meter.tick()),
          turn(pass),
        )
        return { out: concat(from(Array.from({ length: buffers }, (_, id) => large(id))), counted) }
      },
      api: { rate: () => meter.rate },
    }
  },
})

/** Answers with what it is asked. */
export const echo = defineActor({
  module: import.meta.url,
  role: 'echo',
  inputs: {},
  outputs: {},
  config: z.strictObject({}),
  start: () => ({ api: { echo: (message: Small) => message } }),
})
