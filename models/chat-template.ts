import { createContext, Script } from 'node:vm'
import { Environment, Interpreter, Template } from '@huggingface/jinja'
import { TroupeError } from '../runtime/kernel/errors.js'

/** One turn of a conversation; templates may read further keys. */
export interface ChatMessage {
  readonly role: string
  readonly content: unknown
  readonly [key: string]: unknown
}

export interface ChatOptions {
  /** Ends with what opens the assistant's answer. Default false. */
  readonly addGenerationPrompt?: boolean
  /** Which of several templates. Default `tool_use` where tools are given and there is one, else `default`. */
  readonly template?: string
  /** Further variables: `tools`, `documents`, `date_string`, … */
  readonly variables?: Readonly<Record<string, unknown>>
}

/** Longest template and longest rendering, in characters. */
const MAX_TEMPLATE = 2 ** 18
const MAX_RENDERING = 2 ** 24
/** Longest `range()`, as in Jinja's own sandbox. */
const MAX_RANGE = 100_000
/** How long a template may take to parse and render. */
const MAX_TIME_MS = 2000

const WHERE = 'chat_template'

function refuse(message: string, cause?: unknown): never {
  throw new TroupeError('E_CHECKPOINT', message, {
    where: WHERE,
    hint: 'Use another template: chat_template in tokenizer_config.json, or the file chat_template.jinja',
    cause,
  })
}

/**
 * The templates of a tokenizer by name: of `chat_template.jinja`, or of `tokenizer_config.json` (one, or a list with names).
 * Throws `E_CHECKPOINT` when they are neither.
 */
export function chatTemplatesOf(config: object, file: string | undefined): ReadonlyMap<string, string> {
  const given = file ?? (config as { chat_template?: unknown }).chat_template
  if (given === undefined || given === null) return new Map()
  if (typeof given === 'string') return new Map([['default', given]])
  const isNamed = (one: unknown): one is { name: string; template: string } =>
    typeof (one as { name?: unknown } | null)?.name === 'string' &&
    typeof (one as { template?: unknown }).template === 'string'
  if (!Array.isArray(given) || !given.every(isNamed))
    return refuse('chat_template must be a text, or a list of { name, template }')
  return new Map(given.map(({ name, template }) => [name, template]))
}

/** `bos_token`, `eos_token` and the like of `tokenizer_config.json`, as texts. */
function specialTokens(config: object): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [key, value] of Object.entries(config))
    if (/^(bos|eos|unk|sep|pad|cls|mask)_token$/.test(key)) {
      const text = typeof value === 'string' ? value : (value as { content?: unknown } | null)?.content
      if (typeof text === 'string') texts[key] = text
    }
  return texts
}

/** The conversation as one text, as `apply_chat_template(tokenize=False)` of transformers renders it. */
export function renderChat(
  templates: ReadonlyMap<string, string>,
  config: object,
  messages: readonly ChatMessage[],
  { addGenerationPrompt = false, template, variables = {} }: ChatOptions,
): string {
  if (templates.size === 0) return refuse('the tokenizer has no chat template')
  const name = template ?? (variables.tools && templates.has('tool_use') ? 'tool_use' : 'default')
  const source = templates.get(name)
  if (source === undefined) return refuse(`there is no template ${name}, only ${[...templates.keys()].join(', ')}`)
  const given = {
    ...specialTokens(config),
    tools: null,
    documents: null,
    ...variables,
    messages,
    add_generation_prompt: addGenerationPrompt,
  }
  return render(source, given)
}

/**
 * Renders a template that nobody vouches for. It cannot reach anything but its variables; its length, its ranges, its result
 * and its time are bounded. Memory is not: within that time it may fill lists. `strftime_now` is not defined, so that a
 * rendering is the same on every day. Throws `E_CHECKPOINT`.
 */
function render(source: string, variables: Readonly<Record<string, unknown>>): string {
  if (source.length > MAX_TEMPLATE)
    refuse(`the template has ${source.length} characters, and at most ${MAX_TEMPLATE} are read`)
  let text: unknown
  try {
    text = limited(() => {
      const environment = new Environment()
      for (const [key, value] of Object.entries({ ...GLOBALS, ...variables })) environment.set(key, value)
      return (new Interpreter(environment).run(parsedOf(source)) as { value: unknown }).value
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      return refuse(`the template took longer than ${MAX_TIME_MS} ms`)
    return refuse(`the template cannot be rendered: ${(error as Error).message}`, error)
  }
  if (typeof text !== 'string' || text.length > MAX_RENDERING)
    return refuse(`the template renders more than ${MAX_RENDERING} characters`)
  return text
}

/** The last template, parsed: a run renders one again and again, and parsing it takes longer than rendering. */
let last: { readonly source: string; readonly parsed: Template['parsed'] } | undefined

function parsedOf(source: string): Template['parsed'] {
  if (last?.source !== source) last = { source, parsed: new Template(source).parsed }
  return last.parsed
}

const room = createContext({ work: undefined as unknown })
const call = new Script('work()')

/** Runs `work` and breaks it off after the time allowed, wherever it is: V8 ends all that a script has called. */
function limited(work: () => unknown): unknown {
  room.work = work
  try {
    return call.runInContext(room, { timeout: MAX_TIME_MS })
  } finally {
    room.work = undefined
  }
}

const GLOBALS = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Error(String(message))
  },
  range: (first: number, end?: number, step = 1) => {
    const [from, to] = end === undefined ? [0, first] : [first, end]
    const count = Math.max(0, Math.ceil((to - from) / step))
    if (!(count <= MAX_RANGE)) throw new Error(`range has ${count} numbers, and at most ${MAX_RANGE} are allowed`)
    return Array.from({ length: count }, (_, i) => from + i * step)
  },
}
