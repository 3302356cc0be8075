const OWN = new URL('.', import.meta.url).href
const DEEP = 60

/** Runs `work` with stack traces deep enough to reach through TF.js to the function that called it. */
export function withDeepStack<T>(work: () => T): T {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = DEEP
  try {
    return work()
  } finally {
    Error.stackTraceLimit = before
  }
}

/** `file:line:column` of the nearest caller that is neither this folder nor a package; undefined when there is none. */
export function callerLine(): string | undefined {
  const frames = (new Error().stack ?? '').split('\n').slice(1)
  const frame = frames.find((line) => line.includes('file://') && !line.includes(OWN) && !line.includes('node_modules'))
  return frame?.match(/\(?(?:file:\/\/)?([^()\s]+:\d+:\d+)\)?$/)?.[1]
}
