import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions'
import { z } from 'zod'
import { type Opinion, probabilityOfTokens } from '../alignment/index.js'
import type { Judgment } from './messages.js'
import type { Match, Question } from './rater.js'

type Messages = ChatCompletionCreateParamsNonStreaming['messages']

/** What is looked at of a reply; log-probabilities of another form count as none. */
export const replySchema = z.object({
  choices: z.array(
    z.object({
      message: z.object({ content: z.string().nullish() }),
      logprobs: z
        .object({
          content: z.array(
            z.object({
              token: z.string(),
              top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })),
            }),
          ),
        })
        .nullish()
        .catch(undefined),
    }),
  ),
})
export type Reply = z.output<typeof replySchema>

const COMPARE = `You compare two answers to one request. The better answer does what was asked, all of it and nothing else, and is \
well formed. The order in which the two are shown means nothing. Reply with the single digit 1 \
if the first answer is better, or 2 if the second is.`

const SCORE = `You rate an answer to a request by adding up points, from 0 to 5. Each point below needs those before it:
- one point if something in the answer bears on what was asked;
- a second if it covers a good part of what was asked, though not all of it;
- a third if it gives everything that was asked for, in a form that can be used as it is;
- a fourth if it is also clear, in order and written for the one who asked;
- a fifth if nothing could be improved or left out.
Say in one or two sentences what earns each point. Then end with a last line of exactly this form, with a number from 0 to 5:
Score: <points>`

const told = (text: string, instruction: string) => (instruction === '' ? text : `${text}\n\n${instruction}`)

export function compareMessages({ prompt, first, second }: Match, instruction: string): Messages {
  const shown = `Request:\n${prompt}\n\nAnswer 1:\n${first}\n\nAnswer 2:\n${second}\n\nWhich answer is better, 1 or 2?`
  return [
    { role: 'system', content: told(COMPARE, instruction) },
    { role: 'user', content: shown },
  ]
}

export function scoreMessages({ prompt, answer }: Question, instruction: string): Messages {
  return [
    { role: 'system', content: told(SCORE, instruction) },
    { role: 'user', content: `Request:\n${prompt}\n\nAnswer:\n${answer}` },
  ]
}

/** A digit, whatever quotes, brackets, stars and stops are around it. */
const bare = (text: string): string => text.replaceAll(/^[\s"'`(*]+|[\s"'`).*]+$/g, '')

/**
 * P(the first is better) where the reply begins with one of the two digits and has both log-probabilities; else the verdict
 * that its text is. Anything but one of the digits is `invalid`.
 */
export function readComparison({ choices: [choice] }: Reply): Opinion {
  const begin = choice?.logprobs?.content[0]
  if (begin && ['1', '2'].includes(bare(begin.token))) {
    const [first, second] = ['1', '2'].map((digit) => logprobOf(begin.top_logprobs, digit))
    if (first !== undefined && second !== undefined) return probabilityOfTokens(first, second)
  }
  const digit = bare(choice?.message.content ?? '')
  if (digit === '1') return 'first'
  return digit === '2' ? 'second' : 'invalid'
}

/** Of all tokens that say `digit`, as ` 1` and `1` do: log Σ p; undefined where there is none. */
function logprobOf(tops: readonly { readonly token: string; readonly logprob: number }[], digit: string) {
  const own = tops.flatMap(({ token, logprob }) => (bare(token) === digit ? [logprob] : []))
  if (own.length === 0) return undefined
  return Math.log(own.reduce((sum, logprob) => sum + Math.exp(logprob), 0))
}

const LAST_LINE = /^score:\s*([0-5](?:\.\d+)?)(?:\s*\/\s*5)?$/i

/** The points in the last line; anything else is unreadable. */
export function readScore({ choices: [choice] }: Reply): Judgment {
  const last = (choice?.message.content ?? '').trimEnd().split('\n').at(-1) ?? ''
  const points = Number(LAST_LINE.exec(bare(last.replaceAll('*', '')))?.[1] ?? Number.NaN)
  return points <= 5 ? { score: points, verdicts: [points], unreadable: 0 } : { verdicts: [], unreadable: 1 }
}
