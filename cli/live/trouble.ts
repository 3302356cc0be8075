/** What went wrong with an actor so far, of its book entry or its status. */
interface Troubled {
  readonly state: string
  readonly code?: string | undefined
  readonly failures: number
  readonly restarts: number
  readonly setAside: number
}

/** `E_HOST_DIED, restarted 2 times, 1 message set aside`; empty where all went well. */
export function trouble({ state, code, failures, restarts, setAside }: Troubled): string {
  const down = state === 'failed' || state === 'restarting'
  return [
    ...(code && (down || failures > 0 || restarts > 0) ? [code] : []),
    ...(restarts > 0 ? [`restarted ${times(restarts)}`] : []),
    ...(setAside > 0 ? [`${setAside} ${setAside === 1 ? 'message' : 'messages'} set aside`] : []),
  ].join(', ')
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
