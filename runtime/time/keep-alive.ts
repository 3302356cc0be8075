const FOREVER_MS = 2 ** 30

/** Keeps the process alive until the returned function is called. */
export function keepAlive(): () => void {
  const timer = setInterval(() => {}, FOREVER_MS)
  return () => clearInterval(timer)
}
