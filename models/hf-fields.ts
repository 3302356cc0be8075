/** Typed reading of a parsed `config.json`. A value that is absent or null has the fallback; without one it is refused. */
export interface Fields {
  readonly raw: Readonly<Record<string, unknown>>
  number(key: string, fallback?: unknown): number
  boolean(key: string, fallback: boolean): boolean
  /** The value, which must be one of `allowed`. */
  only<T extends string | boolean>(key: string, allowed: readonly T[], fallback: T): T
  /** The special tokens. Where a model has several ends the first is taken; a pad that is absent is the end. */
  tokens(
    bos: number | undefined,
    eos: number | undefined,
  ): { bosTokenId: number; eosTokenId: number; padTokenId: number }
  fail(message: string): never
}

export function fieldsOf(raw: Readonly<Record<string, unknown>>, fail: (message: string) => never): Fields {
  const number = (key: string, fallback?: unknown): number => {
    const value = raw[key] ?? fallback
    return typeof value === 'number' ? value : fail(`${key} must be a number, not ${JSON.stringify(raw[key])}`)
  }
  const first = (key: string, fallback: number | undefined): number => {
    const value = Array.isArray(raw[key]) ? raw[key][0] : (raw[key] ?? fallback) // Llama 3 has several ends
    return typeof value === 'number' ? value : fail(`${key} must be a number, not ${JSON.stringify(raw[key])}`)
  }
  return {
    raw,
    number,
    boolean(key, fallback) {
      const value = raw[key] ?? fallback
      return typeof value === 'boolean' ? value : fail(`${key} must be true or false, not ${JSON.stringify(value)}`)
    },
    only(key, allowed, fallback) {
      const value = raw[key] ?? fallback
      return (
        allowed.find((one) => one === value) ??
        fail(
          `${key} is ${JSON.stringify(value)}, and only ${allowed.map((one) => JSON.stringify(one)).join(', ')} can be read`,
        )
      )
    },
    tokens(bos, eos) {
      const eosTokenId = first('eos_token_id', eos)
      return {
        bosTokenId: first('bos_token_id', bos ?? eosTokenId),
        eosTokenId,
        padTokenId: first('pad_token_id', eosTokenId),
      }
    },
    fail,
  }
}
