import type { Message, Text } from './shapes.js'

/**
 * A prompt as one text, as it travels between actors and stands in reports: a text, and the one turn of a user, as they are; any
 * other conversation as its JSON.
 */
export function toPrompt(text: Text): string {
  if (typeof text === 'string') return text
  const [first, ...more] = text
  return first?.role === 'user' && more.length === 0 ? first.content : JSON.stringify(text)
}

/** The turns of a prompt; a text that is no conversation's JSON is one turn of a user. */
export function turnsOf(prompt: string): readonly Message[] {
  if (prompt.startsWith('[{"role":')) {
    try {
      const turns: unknown = JSON.parse(prompt)
      if (Array.isArray(turns) && turns.every(isMessage)) return turns
    } catch {
      // a text that only begins like one
    }
  }
  return [{ role: 'user', content: prompt }]
}

function isMessage(value: unknown): value is Message {
  const { role, content } = (value ?? {}) as Partial<Message>
  return typeof role === 'string' && typeof content === 'string'
}
