import { from, lastValueFrom, mergeMap, toArray } from 'rxjs'
import { type Clock, realClock } from '../runtime/time/clock.js'
import type { Random } from '../runtime/time/random.js'
import type { Rater } from './rater.js'
import { createRemoteCalls, type RemoteRequest, spent } from './remote-calls.js'
import type { RemoteConfig } from './remote-config.js'
import { compareMessages, type Reply, readComparison, readScore, scoreMessages } from './remote-prompts.js'

interface RemoteOptions {
  /** Ends what is under way. */
  readonly signal: AbortSignal
  /** Default: the machine's, even in virtual time, for the API does not live in it. */
  readonly clock?: Clock
}

/** Most tokens of a comparison's reply, and alternatives asked for of each. */
const COMPARISON = { maxTokens: 8, topLogprobs: 5 } as const

/**
 * A rater over an OpenAI-compatible API, by the official client. Temperature is 0, and still its replies are not
 * reproducible: a run with it cannot be replayed, though in virtual time it works like any turn.
 *
 * A list of questions that the rest of `budget` does not suffice for is refused whole, before any of it is asked; where one
 * fails for good, or further tries use the budget up, the others are ended and the list fails. A chat completion that says no
 * points or digit is unreadable or `invalid`, and so is one without choices.
 *
 * The key is read from the environment and is in no error, log or configuration.
 *
 * @throws `E_CONFIG` where the key is not there, or the API refuses it, the model or the address (401, 403, 404);
 * `E_BUDGET` where the budget does not suffice; `E_REMOTE` where the API refuses a request, does not answer after all tries,
 * or its reply is no chat completion
 */
export function createRemoteAnnotator(config: RemoteConfig, { signal, clock = realClock }: RemoteOptions): Rater {
  const calls = createRemoteCalls(config, clock)

  async function askAll<Q extends { readonly random: Random }>(
    questions: readonly Q[],
    requestOf: (question: Q) => RemoteRequest,
  ): Promise<Reply[]> {
    if (questions.length > calls.left()) throw spent(config, config.budget - calls.left(), questions.length)
    const ended = new AbortController()
    const stop = AbortSignal.any([signal, ended.signal])
    const asking = from(questions).pipe(
      mergeMap(
        async (question, i) => ({ i, reply: await calls.ask(requestOf(question), question.random, stop) }),
        config.concurrency,
      ),
      toArray(),
    )
    try {
      const replies = await lastValueFrom(asking)
      return replies.sort((a, b) => a.i - b.i).map(({ reply }) => reply)
    } finally {
      ended.abort()
    }
  }

  return {
    async score(questions) {
      const replies = await askAll(questions, (question) => ({
        messages: scoreMessages(question, config.instruction),
        max_tokens: config.maxTokens,
      }))
      return replies.map(readScore)
    },
    async compare(matches) {
      const replies = await askAll(matches, (match) => ({
        messages: compareMessages(match, config.instruction),
        max_tokens: COMPARISON.maxTokens,
        ...(config.logprobs ? { logprobs: true, top_logprobs: COMPARISON.topLogprobs } : {}),
      }))
      return replies.map(readComparison)
    },
  }
}
