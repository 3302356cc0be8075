import { readFileSync } from 'node:fs'

/** Troupe's own version, from its package.json (two folders above this compiled file). */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
