import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** A stretch of text in one style. Lines are cut while they are segments, so no escape sequence is ever cut. */
export interface Segment {
  readonly text: string
  readonly style?: Format
}

/** One line of at most `columns` characters; without `colour`, plain text. */
export function line(segments: readonly Segment[], columns: number, colour: boolean): string {
  let room = columns
  let out = ''
  for (const { text, style } of segments) {
    const clean = printable(text)
    const kept = clean.length > room ? `${clean.slice(0, Math.max(0, room - 1))}${room > 0 ? '…' : ''}` : clean
    room -= kept.length
    out += colour && style && kept ? styleText(style, kept, { validateStream: false }) : kept
    if (room <= 0) break
  }
  return out
}

/** Text without line breaks or control characters: what a run says must not steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}

/** Cut or filled with spaces to exactly `width`. */
export function padTo(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}

/** `███░░░` for a fraction in [0, 1]. */
export function bar(fraction: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/** `0:42`, `12:05`, `1:02:03`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

/** Three significant digits, whole numbers whole, never in exponents below a million. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value)) return Math.abs(value) < 1e6 ? String(value) : value.toPrecision(3)
  const size = Math.abs(value)
  if (size >= 1e6 || size < 1e-4) return value.toPrecision(3)
  return String(Number(value.toPrecision(size >= 1000 ? 4 : 3)))
}

/** `57 %`. */
export function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`
}
