import OpenAI, { APIConnectionTimeoutError, APIError } from 'openai'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions'
import { from, lastValueFrom, mergeMap, toArray } from 'rxjs'
import { TroupeError } from '../runtime/kernel/errors.js'
import { type Clock, realClock } from '../runtime/time/clock.js'
import type { Rater } from './rater.js'
import type { RemoteConfig } from './remote-config.js'
import { compareMessages, type Reply, readComparison, readScore, replySchema, scoreMessages } from './remote-prompts.js'

interface RemoteOptions {
  /** Ends what is under way. */
  readonly signal: AbortSignal
  /** Paces calls; the machine's even in virtual time, for the API is not in it. */
  readonly clock?: Clock
}

/** Most tokens of a comparison's reply, and alternatives asked for of each. */
const COMPARISON = { maxTokens: 8, topLogprobs: 5 } as const
const SERVER_WORDS = 300

/**
 * A rater over an OpenAI-compatible API, by the official client. Temperature is 0, and still its replies are not
 * reproducible: a run with it cannot be replayed, though in virtual time it works like any turn. Questions' own chance is
 * not used.
 *
 * A call is one question with its further tries. A list of questions that the rest of `budget` does not suffice for is refused
 * whole before any of it is asked. If one call fails for good the others are ended and the list fails. A reply that is a chat
 * completion but says no points or digit is unreadable or `invalid`; so is one without choices.
 *
 * The key is read from the environment and is in no error, log or configuration.
 *
 * @throws `E_CONFIG` where the key is not there, or the API refuses it, the model or the address (401, 403, 404);
 * `E_BUDGET` once the budget does not suffice; `E_REMOTE` where it refuses a request, does not answer in time, or what it
 * says is no chat completion
 */
export function createRemoteAnnotator(config: RemoteConfig, { signal, clock = realClock }: RemoteOptions): Rater {
  const key = keyOf(config)
  const client = new OpenAI({
    apiKey: key,
    baseURL: config.baseURL,
    timeout: config.timeoutMs,
    maxRetries: config.maxRetries,
    logLevel: 'off',
    // what the client would otherwise take from the environment, for another API than this
    ...{ adminAPIKey: null, organization: null, project: null, webhookSecret: null },
  })
  const pace = pacer(config.requestsPerMinute, clock)
  let calls = 0

  async function ask(request: Request, stop: AbortSignal): Promise<Reply> {
    await pace(stop)
    stop.throwIfAborted()
    const { model } = config
    const body = { model, temperature: 0, stream: false as const, ...request }
    const work = Promise.resolve(client.chat.completions.create(body, { signal: stop }))
    const reply = await clock.deadline(untilAborted(work, stop), config.deadlineMs, 'an answer with all its tries')
    const read = replySchema.safeParse(reply)
    if (read.success) return read.data
    throw new TroupeError('E_REMOTE', 'its reply is no chat completion', { hint: HINT })
  }

  async function askAll(requests: readonly Request[]): Promise<Reply[]> {
    if (requests.length > config.budget - calls) throw spent(config.budget, calls, requests.length)
    calls += requests.length
    const ended = new AbortController()
    const stop = AbortSignal.any([signal, ended.signal])
    try {
      const replies = await lastValueFrom(
        from(requests).pipe(
          mergeMap(async (request, i) => ({ i, reply: await ask(request, stop) }), config.concurrency),
          toArray(),
        ),
      )
      return replies.sort((a, b) => a.i - b.i).map(({ reply }) => reply)
    } catch (error) {
      throw signal.aborted ? signal.reason : failureOf(error, config, key)
    } finally {
      ended.abort() // a client that waits for its next try would make it
    }
  }

  return {
    async score(questions) {
      const replies = await askAll(
        questions.map((question) => ({
          messages: scoreMessages(question, config.instruction),
          max_tokens: config.maxTokens,
        })),
      )
      return replies.map(readScore)
    },
    async compare(matches) {
      const replies = await askAll(
        matches.map((match) => ({
          messages: compareMessages(match, config.instruction),
          max_tokens: COMPARISON.maxTokens,
          ...(config.logprobs ? { logprobs: true, top_logprobs: COMPARISON.topLogprobs } : {}),
        })),
      )
      return replies.map(readComparison)
    },
  }
}

type Request = Pick<ChatCompletionCreateParamsNonStreaming, 'messages' | 'max_tokens' | 'logprobs' | 'top_logprobs'>

const HINT = 'Look whether annotator.remote.baseURL is that of an OpenAI-compatible API'

function keyOf({ apiKeyEnv }: RemoteConfig): string {
  if (apiKeyEnv === undefined) return 'none' // the client wants one
  const key = process.env[apiKeyEnv]
  if (key) return key
  throw new TroupeError('E_CONFIG', `the environment variable ${apiKeyEnv} is not set`, {
    where: 'remote.apiKeyEnv',
    hint: 'It must hold the key of the annotator’s API, where the run is started',
  })
}

/** Resolves for one call after another, evenly spaced. */
function pacer(requestsPerMinute: number, clock: Clock): (signal: AbortSignal) => Promise<void> {
  const spaceMs = 60_000 / requestsPerMinute
  let next = Number.NEGATIVE_INFINITY
  return async (signal) => {
    const now = clock.now()
    const mine = Math.max(now, next)
    next = mine + spaceMs
    if (mine > now) await clock.sleep(mine - now, signal)
  }
}

/** As `work` settles, or with the signal's reason at once: the client sleeps on between two tries. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function spent(budget: number, calls: number, wanted: number): TroupeError {
  return new TroupeError('E_BUDGET', `of ${budget} calls ${calls} are made, and this batch needs ${wanted}`, {
    where: 'remote.budget',
    hint: 'Nothing of the batch was asked. A run that keeps a journal can be resumed, with as much again',
  })
}

/** The client's own errors hold what was sent, so nothing of them goes on but words, without the key. */
function failureOf(error: unknown, { baseURL, apiKeyEnv, timeoutMs }: RemoteConfig, key: string): TroupeError {
  const where = `the annotator at ${new URL(baseURL).host}`
  if (error instanceof TroupeError) {
    const code = error.code === 'E_DEADLINE' ? 'E_REMOTE' : error.code
    return new TroupeError(code, error.message, { where, hint: error.hint })
  }
  if (error instanceof APIConnectionTimeoutError)
    return new TroupeError('E_REMOTE', `no answer within ${timeoutMs} ms, again and again`, { where })
  const words = error instanceof Error ? error.message : String(error)
  const said = (apiKeyEnv === undefined ? words : words.replaceAll(key, '***')).slice(0, SERVER_WORDS)
  const status = error instanceof APIError ? error.status : undefined
  if (status === 401 || status === 403 || status === 404)
    return new TroupeError('E_CONFIG', `it refuses: ${said}`, {
      where,
      hint: `See remote.baseURL, remote.model and ${apiKeyEnv ?? 'remote.apiKeyEnv'}`,
    })
  return new TroupeError('E_REMOTE', `${status === undefined ? 'it cannot be asked' : 'it does not answer'}: ${said}`, {
    where,
  })
}
