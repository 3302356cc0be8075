import comlink from 'comlink'
import { TroupeError, toWire } from '../kernel/errors.js'
import type { Control, Reply } from './control.js'
import { cannotCross, QuestionLine } from './question-line.js'

export interface RemoteControlOptions<H> {
  readonly name: string
  /** What of a wire's end is given up with it. */
  readonly transferOf?: (end: H) => readonly unknown[]
}

/** The control of an actor in another thread or process. Once its place is gone, every call has an answer all the same. */
export interface RemoteControl<H> {
  readonly control: Control<H>
  /** The place is gone: whoever waits is answered with `E_ACTOR_DOWN`, and so is whoever asks from now on. */
  lost(cause?: TroupeError): void
}

/**
 * Comlink's proxy, held for the life of the actor: one that is collected would drop the answers still under way, and by
 * itself it would wait for the answers of the dead.
 */
export function remoteControl<H>(endpoint: comlink.Endpoint, options: RemoteControlOptions<H>): RemoteControl<H> {
  const { name, transferOf = () => [] } = options
  const remote = comlink.wrap<Control<H>>(endpoint) as unknown as Omit<Control<H>, 'ask'> & comlink.ProxyMethods
  const questions = new QuestionLine(endpoint, name)
  const waiting = new Set<(answer: Reply<never>) => void>()
  let down: Reply<never> | undefined
  const transfersOf = (ends: readonly (H | undefined)[]) =>
    ends.flatMap((end) => (end === undefined ? [] : [...transferOf(end)])) as Transferable[]

  function call<T>(work: () => Promise<Reply<T>>): Promise<Reply<T>> {
    if (down) return Promise.resolve(down)
    return new Promise((resolve) => {
      const settle = (answer: Reply<T>) => {
        waiting.delete(settle)
        resolve(answer)
      }
      waiting.add(settle)
      work().then(settle, (error: unknown) => settle(cannotCross(name, error)))
    })
  }

  function lost(cause?: TroupeError): void {
    const error = new TroupeError('E_ACTOR_DOWN', `the place of ${name} is gone`, { where: name, cause })
    // Comlink holds the endpoint for as long as the proxy is not given back, and the endpoint leads to the proxy
    if (!down) remote[comlink.releaseProxy]()
    down ??= { ok: false, error: toWire(error) }
    for (const settle of waiting) settle(down)
    questions.lost(down)
  }

  const control: Control<H> = {
    start: () => call(() => remote.start()),
    wire: (plan) => {
      const ends = [
        ...plan.inputs.map(({ end }) => end),
        ...plan.outputs.flatMap((output) => output.ends.map(({ end }) => end)),
      ]
      return call(() => remote.wire(comlink.transfer(plan, transfersOf(ends))))
    },
    rewire: (rewiring) => call(() => remote.rewire(comlink.transfer(rewiring, transfersOf([rewiring.end])))),
    ask: (method, args) => (down ? Promise.resolve(down) : questions.ask(method, args)),
    halt: () => call(() => remote.halt()),
    dispose: () => call(() => remote.dispose()),
    ping: () => call(() => remote.ping()),
  }
  return { control, lost }
}
