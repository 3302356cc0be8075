import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'
import { realClock } from '../time/clock.js'
import { PARENT_FD } from './process-task.js'
import { removeSocket } from './remove-socket.js'

/** What the process has to leave by itself in. */
const GRACE_MS = 1000

/*
 * A thread that ends its process when the parent's end of a pipe is closed: also while the process's main thread
 * computes, and so does not see that its parent has gone.
 */
function end(): void {
  realClock.deadline(new Promise(() => {}), GRACE_MS, 'leaving after the parent').catch(() => {
    removeSocket(workerData as string)
    process.kill(process.pid, 'SIGKILL')
  })
}

new Socket({ fd: PARENT_FD })
  .on('error', () => {})
  .on('close', end)
  .resume()
