import { createReadStream } from 'node:fs'
import { TroupeError } from '../../../runtime/kernel/errors.js'

/** Longest line that is read, in bytes. */
export const MAX_LINE_BYTES = 16 * 2 ** 20

const NEWLINE = 10
const RETURN = 13

/**
 * The lines of a UTF-8 file with their numbers from 1; both kinds of line ends, with or without a byte order mark. One line and
 * one block of the file are held at a time. Throws `E_DATA` for a line that is longer than {@link MAX_LINE_BYTES} or is not UTF-8.
 */
export async function* readLines(path: string): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  let line = 1
  let parts: Buffer[] = []
  let held = 0

  function keep(part: Buffer): void {
    held += part.length
    if (held > MAX_LINE_BYTES)
      throw new TroupeError('E_DATA', `the line is longer than ${MAX_LINE_BYTES} bytes`, {
        where: `${path}, line ${line}`,
        hint: 'One line holds one row: a file that is one large JSON array must be written as one object a line',
      })
    parts.push(part)
  }

  function finish(): { line: number; text: string } {
    const bytes = Buffer.concat(parts, held)
    parts = []
    held = 0
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end))
      return { line: line++, text }
    } catch (cause) {
      throw new TroupeError('E_DATA', 'the line is not UTF-8', {
        where: `${path}, line ${line}`,
        hint: 'Save the file as UTF-8',
        cause,
      })
    }
  }

  for await (const block of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, from)) {
      keep(block.subarray(from, at))
      yield finish()
      from = at + 1
    }
    keep(block.subarray(from))
  }
  if (held > 0) yield finish()
}
