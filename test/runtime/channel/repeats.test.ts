import test from 'ava'
import type { SenderFrame } from '../../../runtime/channel/protocol.js'
import { Sender } from '../../../runtime/channel/sender.js'
import { createVirtualTime } from '../../../runtime/time/virtual.js'

test('what is not acknowledged is sent again in time, however often its actor flushes', async (t) => {
  const { clock } = createVirtualTime()
  const posted: [at: number, type: string][] = []
  let hear: (raw: unknown) => void = () => {}
  const sender = new Sender(
    { channel: 0, keep: true, clock },
    { changed: () => {}, malformed: () => t.fail('a frame is malformed') },
  )
  sender.attach({
    repeatMs: 50,
    post: (frame) => posted.push([clock.now(), (frame as SenderFrame).type]),
    listen: (handler) => {
      hear = handler
    },
    close: () => {},
  })
  hear({ type: 'grant', acked: 0, upTo: 4 })
  sender.queue('one', [])
  for (let i = 0; i < 10; i++) {
    sender.flush()
    await clock.sleep(20)
  }
  sender.close()
  t.deepEqual(posted, [
    [0, 'data'],
    [50, 'data'],
    [150, 'data'],
  ])
})
