import { createHash } from 'node:crypto'
import type { Passage } from '../../runtime/channel/virtual-wire.js'
import type { RunEvent } from '../../runtime/index.js'

const LAST = 60

/** Everything that happens, as lines: the last ones to be read, all of them hashed. */
export class Trace {
  readonly #sha = createHash('sha256')
  readonly #lines: string[] = []
  readonly #print: boolean
  #all = ''

  constructor(print: boolean) {
    this.#print = print
  }

  event(event: RunEvent): void {
    if (event.type === 'usage' || event.type === 'queue') return
    const { type, actor, ...rest } = event
    this.#line(`${actor.name} ${type} ${JSON.stringify(rest, (key, value) => (key === 'stack' ? undefined : value))}`)
  }

  frame(at: number, { from, to, frame }: Passage): void {
    this.#line(`${at} ${from} -> ${to} ${JSON.stringify(frame)}`)
  }

  say(what: string): void {
    this.#line(what)
  }

  get last(): readonly string[] {
    return this.#lines
  }

  hash(): string {
    return this.#sha.update(this.#all).copy().digest('hex')
  }

  #line(line: string): void {
    if (this.#print) process.stderr.write(`${line}\n`)
    this.#lines.push(line)
    if (this.#lines.length > LAST) this.#lines.shift()
    this.#all += `${line}\n`
    if (this.#all.length < 65_536) return
    this.#sha.update(this.#all)
    this.#all = ''
  }
}
