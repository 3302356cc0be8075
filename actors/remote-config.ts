import { z } from 'zod'

/** A language model behind an API as OpenAI's (chat completions). */
export const remoteSchema = z.strictObject({
  baseURL: z.url({ protocol: /^https?$/ }).describe('where the API is, e.g. http://localhost:8000/v1'),
  model: z.string().min(1).describe('as the API names it'),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable, not the key')
    .optional()
    .describe('the environment variable that holds the key; left out where the API wants none'),
  instruction: z.string().default('').describe('what it is told beside the rubric, e.g. "Prefer shorter answers."'),
  logprobs: z
    .boolean()
    .default(true)
    .describe('ask for log-probabilities, so that a comparison is a probability where the API gives them'),
  maxTokens: z.int().min(1).default(400).describe('longest reply that says points; a comparison has 8'),
  timeoutMs: z.int().min(1).default(60_000).describe('longest wait for the answer to each try'),
  maxRetries: z
    .int()
    .min(0)
    .max(20)
    .default(4)
    .describe('further tries after 408, 409, 429, 5xx or no answer; Retry-After is kept to'),
  maxPauseMs: z
    .int()
    .min(1)
    .default(60_000)
    .describe('longest Retry-After that is waited for; a longer one is a failure'),
  requestsPerMinute: z.number().positive().default(600).describe('most requests in a minute, evenly spaced'),
  concurrency: z.int().min(1).max(256).default(8).describe('requests under way at once'),
  budget: z.int().min(1).default(10_000).describe('requests, further tries among them, after which the run ends'),
})
export type RemoteConfig = z.output<typeof remoteSchema>

/** A replica's part of what all of them may ask the API. */
export function shareOf(remote: RemoteConfig, replica: number, replicas: number): RemoteConfig {
  return {
    ...remote,
    budget: Math.floor((remote.budget + replicas - 1 - replica) / replicas),
    requestsPerMinute: remote.requestsPerMinute / replicas,
  }
}
