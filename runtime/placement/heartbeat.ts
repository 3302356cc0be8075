import { TroupeError } from '../kernel/errors.js'
import type { Clock } from '../time/clock.js'
import type { Control } from './control.js'

export interface HeartbeatOptions {
  readonly name: string
  readonly clock: Clock
  /** Between two beats. */
  readonly heartbeatMs: number
  /** Without an answer for so long, a host hangs. A turn that computes without giving way must be shorter. */
  readonly hangAfterMs: number
  /** Called once, with `E_HOST_HUNG`; nothing is asked any more then. */
  readonly onHung: (error: TroupeError) => void
}

/**
 * Asks a host again and again whether it is there; returns what ends it. Beats are counted, not read off a clock: when
 * this thread itself was held up, or the machine slept, nobody is blamed for it.
 */
export function watchHeartbeat(control: Pick<Control<never>, 'ping'>, options: HeartbeatOptions): () => void {
  const { name, clock, heartbeatMs, hangAfterMs, onHung } = options
  const allowed = Math.max(1, Math.ceil(hangAfterMs / heartbeatMs))
  let isOver = false
  let isAsking = false
  let missed = 0
  let cancel = () => {}

  function ask(): void {
    isAsking = true
    missed = 0
    void control.ping().then(() => {
      isAsking = false
    })
  }

  function beat(): void {
    if (isOver) return
    if (!isAsking) ask()
    else if (++missed >= allowed) {
      isOver = true
      const message = `${name} has not answered for ${missed * heartbeatMs} ms`
      const hint = 'It computes without giving way, or it was suspended; raise hangAfterMs if its turns are that long'
      onHung(new TroupeError('E_HOST_HUNG', message, { where: name, hint }))
      return
    }
    cancel = clock.after(heartbeatMs, beat, { weak: true })
  }

  beat()
  return () => {
    isOver = true
    cancel()
  }
}
