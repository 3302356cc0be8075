import { TroupeError } from '../../../runtime/kernel/errors.js'
import { type DataRecord, kindOf } from './records.js'

/** One turn of a conversation. */
export type Message = { readonly role: string; readonly content: string }

/** A text as it stands, or the turns of a conversation. */
export type Text = string | readonly Message[]

export interface PairRow {
  readonly prompt: Text
  readonly chosen: string
  readonly rejected: string
}

export interface DemonstrationRow {
  readonly prompt: Text
  readonly completion: string
}

const ASSISTANT = 'assistant'

/**
 * The prompt of a row in one of TRL's shapes: `prompt`; of `messages` what comes before the last answer; of whole conversations
 * `chosen` and `rejected` what they share. Throws `E_DATA` that names the row and the field.
 */
export function promptOf(record: DataRecord): Text {
  const { prompt, messages, chosen, rejected } = record.value
  if (isGiven(prompt) && !(isText(prompt) && isWhole(chosen) && isWhole(rejected))) return promptField(record)
  if (isGiven(messages)) return promptOfTurns(record, turns(record, 'messages'))
  if (isGiven(chosen) && isGiven(rejected)) return pairOf(record).prompt
  return fail(record, 'prompt', 'is missing')
}

/**
 * A pair: `prompt`, `chosen`, `rejected`, as texts or as turns; or `chosen` and `rejected` as whole conversations, whose prompt is
 * what they share (a `prompt` text beside them is not looked at, as in TRL). After the prompt comes one answer. Throws `E_DATA`.
 */
export function pairOf(record: DataRecord): PairRow {
  const [chosen, rejected] = [field(record, 'chosen'), field(record, 'rejected')]
  const { prompt } = record.value
  if (isText(chosen) && isText(rejected)) return { prompt: promptField(record), chosen, rejected }
  if (isText(chosen) || isText(rejected))
    return fail(record, 'rejected', `is ${kindOf(rejected)} where chosen is ${kindOf(chosen)}`)
  if (isGiven(prompt) && !(isText(prompt) && isWhole(chosen) && isWhole(rejected))) {
    const before = promptField(record)
    return { prompt: before, chosen: after(record, 'chosen', before), rejected: after(record, 'rejected', before) }
  }
  const shared = chosen.findIndex((message, i) => !isSame(message, rejected[i]))
  const length = Math.min(shared < 0 ? chosen.length : shared, chosen.length - 1, rejected.length - 1)
  if (length === 0) return fail(record, 'prompt', 'is missing, and chosen and rejected have no first turns in common')
  const before = endsWithQuestion(record, 'chosen', chosen.slice(0, length))
  return { prompt: before, chosen: after(record, 'chosen', before), rejected: after(record, 'rejected', before) }
}

/** A demonstration: `prompt` and `completion`, or `messages` that end with the answer. Throws `E_DATA`. */
export function demonstrationOf(record: DataRecord): DemonstrationRow {
  const { completion, messages } = record.value
  if (isGiven(completion)) {
    const prompt = promptField(record)
    const answer = field(record, 'completion')
    return { prompt, completion: isText(answer) ? answer : after(record, 'completion', prompt) }
  }
  if (!isGiven(messages)) return fail(record, 'completion', 'is missing, as is messages')
  const all = turns(record, 'messages')
  const prompt = promptOfTurns(record, all)
  return { prompt, completion: after(record, 'messages', prompt) }
}

const isGiven = (value: unknown) => value !== undefined && value !== null
const isText = (value: unknown): value is string => typeof value === 'string'

/** A conversation from its beginning, not an answer alone. */
const isWhole = (value: unknown) => Array.isArray(value) && value.length > 1 && value[0]?.role !== ASSISTANT

const isSame = (a: Message, b: Message | undefined) => a.role === b?.role && a.content === b.content

function fail(record: DataRecord, name: string, what: string): never {
  throw new TroupeError('E_DATA', `${name} ${what}`, {
    where: record.where,
    hint: `The row has ${Object.keys(record.value).join(', ') || 'nothing'}; a text, or a list of { role, content }, is read`,
  })
}

function field(record: DataRecord, name: string): Text {
  const value = record.value[name]
  return isText(value) ? value : turns(record, name)
}

function turns(record: DataRecord, name: string): readonly Message[] {
  const value = record.value[name]
  if (!Array.isArray(value)) return fail(record, name, `is ${kindOf(value)}`)
  if (value.length === 0) return fail(record, name, 'is an empty list')
  return value.map((one: unknown, i): Message => {
    const { role, content, tool_calls: calls } = (one ?? {}) as Record<string, unknown>
    if (!isText(role) || role === '') return fail(record, `${name}[${i}].role`, `is ${kindOf(role)}`)
    if (!isText(content)) return fail(record, `${name}[${i}].content`, `is ${kindOf(content)}, and only text is read`)
    if (isGiven(calls)) return fail(record, `${name}[${i}].tool_calls`, 'is given, and tool calls are not read')
    return { role, content }
  })
}

function promptField(record: DataRecord): Text {
  const prompt = field(record, 'prompt')
  if (!isText(prompt)) return endsWithQuestion(record, 'prompt', prompt)
  return prompt.trim() === '' ? fail(record, 'prompt', 'is empty') : prompt
}

function endsWithQuestion(record: DataRecord, name: string, messages: readonly Message[]): readonly Message[] {
  return messages.at(-1)?.role === ASSISTANT ? fail(record, name, 'has a prompt that ends with an answer') : messages
}

function promptOfTurns(record: DataRecord, messages: readonly Message[]): readonly Message[] {
  const last = messages.findLastIndex(({ role }) => role === ASSISTANT)
  const prompt = last < 0 ? messages : messages.slice(0, last)
  return prompt.length === 0
    ? fail(record, 'messages', 'begins with an answer')
    : endsWithQuestion(record, 'messages', prompt)
}

/** The one answer of a field after its prompt, which it may repeat. */
function after(record: DataRecord, name: string, prompt: Text): string {
  const all = turns(record, name)
  const repeats = !isText(prompt) && prompt.every((message, i) => isSame(message, all[i]))
  const [answer, ...more] = repeats ? all.slice(prompt.length) : all
  if (answer?.role !== ASSISTANT) return fail(record, name, `has no answer of the ${ASSISTANT} after its prompt`)
  return more.length === 0
    ? answer.content
    : fail(record, name, `goes on for ${more.length + 1} turns after its prompt, and one is read`)
}
