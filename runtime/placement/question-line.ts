import type comlink from 'comlink'
import { TroupeError, toWire } from '../kernel/errors.js'
import type { Reply } from './control.js'

/**
 * Questions beside Comlink, over the same endpoint: what is asked often must not pay for proxies. Comlink drops what is
 * none of its messages, and so does this.
 *
 *     asking                                       answering
 *       |------- { question, method, args } -------->|
 *       |<------ { answer, reply } -------------------|   with the number of its question
 */
type QuestionMessage = { readonly question: number; readonly method: string; readonly args: readonly unknown[] }
type AnswerMessage = { readonly answer: number; readonly reply: Reply<unknown> }

/** The asking end. */
export class QuestionLine {
  readonly #endpoint: comlink.Endpoint
  readonly #name: string
  readonly #waiting = new Map<number, (reply: Reply<unknown>) => void>()
  #asked = 0

  /** `name` is whom it asks. */
  constructor(endpoint: comlink.Endpoint, name: string) {
    this.#endpoint = endpoint
    this.#name = name
    hear(endpoint, (message) => {
      if (!isAnswer(message)) return
      this.#waiting.get(message.answer)?.(message.reply)
      this.#waiting.delete(message.answer)
    })
  }

  ask(method: string, args: readonly unknown[]): Promise<Reply<unknown>> {
    const question: QuestionMessage = { question: ++this.#asked, method, args }
    return new Promise((resolve) => {
      this.#waiting.set(question.question, resolve)
      try {
        this.#endpoint.postMessage(question)
      } catch (error) {
        this.#waiting.delete(question.question)
        resolve(cannotCross(this.#name, error))
      }
    })
  }

  /** Nobody will answer any more: whoever waits gets this. */
  lost(reply: Reply<never>): void {
    for (const resolve of this.#waiting.values()) resolve(reply)
    this.#waiting.clear()
  }
}

/** The answering end. */
export function answerQuestions(
  endpoint: comlink.Endpoint,
  name: string,
  answer: (method: string, args: readonly unknown[]) => Promise<Reply<unknown>>,
): void {
  const post = (message: AnswerMessage) => endpoint.postMessage(message)
  hear(endpoint, (message) => {
    if (!isQuestion(message)) return
    const { question, method, args } = message
    void answer(method, args).then((reply) => {
      try {
        post({ answer: question, reply })
      } catch (error) {
        post({ answer: question, reply: cannotCross(name, error) })
      }
    })
  })
}

/** What stands in the way is that an argument or an answer cannot cross. */
export function cannotCross(name: string, error: unknown): Reply<never> {
  if (error instanceof TroupeError) return { ok: false, error: toWire(error) }
  const refusal = new TroupeError('E_MESSAGE', `a call of ${name} cannot cross`, { where: name, cause: error })
  return { ok: false, error: toWire(refusal) }
}

function hear(endpoint: comlink.Endpoint, handler: (message: unknown) => void): void {
  endpoint.addEventListener('message', (event) => handler((event as MessageEvent).data))
}

function isQuestion(value: unknown): value is QuestionMessage {
  const { question, method, args } = (value ?? {}) as Partial<QuestionMessage>
  return Number.isSafeInteger(question) && typeof method === 'string' && Array.isArray(args)
}

function isAnswer(value: unknown): value is AnswerMessage {
  const { answer, reply } = (value ?? {}) as Partial<AnswerMessage>
  return Number.isSafeInteger(answer) && typeof reply?.ok === 'boolean'
}
