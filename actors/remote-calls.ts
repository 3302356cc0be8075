import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from 'openai'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Clock } from '../runtime/time/clock.js'
import type { Random } from '../runtime/time/random.js'
import type { RemoteConfig } from './remote-config.js'
import { type Reply, replySchema } from './remote-prompts.js'

/** A question as the API takes it. */
export interface RemoteRequest
  extends Pick<ChatCompletionCreateParamsNonStreaming, 'messages' | 'max_tokens' | 'logprobs' | 'top_logprobs'> {}

export interface RemoteCalls {
  /** Requests that the budget still allows. */
  left(): number
  /** One reply, after as many tries as it takes; `random` spreads the pauses between them. */
  ask(request: RemoteRequest, random: Random, signal: AbortSignal): Promise<Reply>
}

/** First and longest pause before a further try, where the API names none: doubled each time, less up to a quarter. */
const BACKOFF = { firstMs: 500, mostMs: 8000 } as const
/** Refusals that may pass: time-out, lock, rate limit. */
const PASSING = [408, 409, 429]
const MOST_WORDS = 300

/**
 * Requests to an OpenAI-compatible API by its official client, paced, counted and tried again. The pauses are ours, not the
 * client's, so that stopping ends them and further tries keep to the pace and the budget.
 */
export function createRemoteCalls(config: RemoteConfig, clock: Clock): RemoteCalls {
  const key = keyOf(config)
  const client = new OpenAI({
    apiKey: key ?? 'none', // it wants one
    baseURL: config.baseURL,
    timeout: 2 * config.timeoutMs, // ours, which has the whole answer in it, comes first
    maxRetries: 0,
    logLevel: 'off',
    // what it would otherwise take from the environment, for another API than this
    ...{ adminAPIKey: null, organization: null, project: null, webhookSecret: null },
  })
  const pace = pacer(config.requestsPerMinute, clock)
  let made = 0

  async function once(request: RemoteRequest, signal: AbortSignal): Promise<Reply> {
    await pace(signal)
    if (made >= config.budget) throw spent(config, made, 1)
    made++
    const ended = new AbortController()
    const body = { model: config.model, temperature: 0, stream: false as const, ...request }
    try {
      const work = client.chat.completions.create(body, { signal: AbortSignal.any([signal, ended.signal]) })
      const read = replySchema.safeParse(await clock.deadline(work, config.timeoutMs, 'its answer'))
      if (read.success) return read.data
    } finally {
      ended.abort()
    }
    throw new TroupeError('E_REMOTE', 'its reply is no chat completion', {
      hint: 'Look whether remote.baseURL is that of an OpenAI-compatible API',
    })
  }

  return {
    left: () => config.budget - made,
    async ask(request, random, signal) {
      for (let tries = 1; ; tries++) {
        try {
          return await once(request, signal)
        } catch (error) {
          if (signal.aborted) throw signal.reason
          const pauseMs = tries <= config.maxRetries ? pauseAfter(error, tries, random, clock) : undefined
          if (pauseMs === undefined || pauseMs > config.maxPauseMs) throw failureOf(error, config, key)
          await clock.sleep(pauseMs, signal)
        }
      }
    },
  }
}

function keyOf({ apiKeyEnv }: RemoteConfig): string | undefined {
  if (apiKeyEnv === undefined) return undefined
  const key = process.env[apiKeyEnv]
  if (key) return key
  throw new TroupeError('E_CONFIG', `the environment variable ${apiKeyEnv} is not set`, {
    where: 'remote.apiKeyEnv',
    hint: 'It must hold the key of the annotator’s API, where the run is started',
  })
}

/** Resolves for one request after another, evenly spaced. */
function pacer(requestsPerMinute: number, clock: Clock): (signal: AbortSignal) => Promise<void> {
  const spaceMs = 60_000 / requestsPerMinute
  let next = Number.NEGATIVE_INFINITY
  return async (signal) => {
    signal.throwIfAborted()
    const now = clock.now()
    const mine = Math.max(now, next)
    next = mine + spaceMs
    if (mine > now) await clock.sleep(mine - now, signal)
  }
}

const isLate = (error: unknown) => error instanceof TroupeError && error.code === 'E_DEADLINE'

/** Milliseconds until the next try; undefined where another would end the same. */
function pauseAfter(error: unknown, tries: number, random: Random, clock: Clock): number | undefined {
  const usual =
    Math.min(BACKOFF.mostMs, BACKOFF.firstMs * 2 ** (tries - 1)) * (1 - random.stream('pause', tries).float() / 4)
  if (isLate(error)) return usual
  if (!(error instanceof APIError) || error instanceof APIUserAbortError) return undefined
  if (error instanceof APIConnectionError) return usual
  const status = error.status as number
  if (!PASSING.includes(status) && status < 500) return undefined
  const asked = error.headers?.get('retry-after') // seconds, or a date
  if (!asked) return usual
  const seconds = Number(asked)
  const pauseMs = Number.isNaN(seconds) ? Date.parse(asked) - clock.now() : 1000 * seconds
  return Number.isNaN(pauseMs) ? usual : Math.max(0, pauseMs)
}

export function spent({ budget }: RemoteConfig, made: number, wanted: number): TroupeError {
  return new TroupeError('E_BUDGET', `of ${budget} requests ${made} are made, and this batch needs ${wanted} more`, {
    where: 'remote.budget',
    hint: 'The batch is not judged, not even in part. A run with a journal can be resumed, and has as many again',
  })
}

/** The client's own errors hold what was sent, so nothing of them goes on but words, without the key. */
function failureOf(error: unknown, config: RemoteConfig, key: string | undefined): TroupeError {
  const where = `the annotator at ${new URL(config.baseURL).host}`
  if (isLate(error)) return new TroupeError('E_REMOTE', `no answer within ${config.timeoutMs} ms`, { where })
  if (error instanceof TroupeError) return error
  const words = error instanceof Error ? error.message : String(error)
  const said = (key === undefined ? words : words.replaceAll(key, '***')).slice(0, MOST_WORDS)
  const status = error instanceof APIError ? error.status : undefined
  if (status === 401 || status === 403 || status === 404)
    return new TroupeError('E_CONFIG', `it refuses: ${said}`, {
      where,
      hint: `See remote.baseURL, remote.model and ${config.apiKeyEnv ?? 'remote.apiKeyEnv'}`,
    })
  const what = error instanceof APIConnectionError ? 'it cannot be asked' : 'its reply is no chat completion'
  return new TroupeError('E_REMOTE', `${status === undefined ? what : 'it answers'}: ${said}`, { where })
}
