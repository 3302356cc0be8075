const DEEP = 60
/** Source maps show TF.js's frames under the paths of its own repository. */
const PACKAGES = /\/node_modules\/|\/tfjs-[a-z-]+\/src\//

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

/** `file:line:column` of the nearest caller that is neither the tracer nor a package; undefined when there is none. */
export function callerLine(): string | undefined {
  const frames = (new Error().stack ?? '').replaceAll('\\', '/').split('\n').slice(1)
  const place = /\(?(?:file:\/\/)?(\/[^()]+|[A-Za-z]:\/[^()]+):(\d+):(\d+)\)?$/
  for (const frame of frames) {
    const [, file, line, column] = frame.match(place) ?? []
    if (file && !isOurs(file) && !PACKAGES.test(file)) return `${file}:${line}:${column}`
  }
  return undefined
}

function isOurs(file: string): boolean {
  return file.includes('/runtime/tensor/') && !file.includes('/test/runtime/tensor/')
}
