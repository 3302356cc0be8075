import { createServer } from 'node:net'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { TroupeError } from '../../kernel/errors.js'
import type { Backend } from '../compile.js'

/** Set to `many`, it lets several threads of one process compute with TensorFlow. */
const VARIABLE = 'TROUPE_TENSORFLOW_THREADS'

/** Whether several threads of one process may compute with a backend. */
export function mayThreadsUse(backend: Backend): boolean {
  return backend !== 'tensorflow' || process.env[VARIABLE] === 'many'
}

/**
 * Makes this thread the one of its process that computes with TensorFlow, until it ends or calls what is returned.
 * TensorFlow is not made for being loaded by several threads. The claim is a name that the operating system gives away
 * once and takes back however the thread ends; nothing is said over it. Throws `E_BACKEND` where another thread has it.
 */
export async function claimTensorflow(): Promise<() => void> {
  if (mayThreadsUse('tensorflow')) return () => {}
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(claimName(), resolve)
  }).catch((cause: NodeJS.ErrnoException) => {
    const isTaken = cause.code === 'EADDRINUSE' || cause.code === 'EACCES'
    throw new TroupeError(
      'E_BACKEND',
      isTaken
        ? 'another thread of this process computes with TensorFlow already'
        : `the process's TensorFlow thread cannot be claimed: ${cause.message}`,
      {
        cause,
        hint: `Place the role in a process of its own or run the troupe inline; ${VARIABLE}=many allows several threads`,
      },
    )
  })
  server.unref()
  return () => server.close()
}

function claimName(): string {
  const name = `troupe-tensorflow-${process.pid}`
  if (platform() === 'linux') return `\0${name}`
  return platform() === 'win32' ? `\\\\?\\pipe\\${name}` : join(tmpdir(), name)
}
