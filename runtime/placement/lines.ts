import type { Readable } from 'node:stream'

/** Characters of one line; a longer one is cut in pieces. */
const MAX_LINE = 8192

/** Calls `onLine` for every line of a text stream that is not empty, the last one included. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  const give = (line: string) => {
    if (line.trim() !== '') onLine(line)
  }
  stream.setEncoding('utf8')
  stream.on('error', () => {})
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) give(line)
    for (; rest.length > MAX_LINE; rest = rest.slice(MAX_LINE)) give(rest.slice(0, MAX_LINE))
  })
  stream.on('close', () => give(rest))
}
