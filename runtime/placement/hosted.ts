import type { Control } from './control.js'

/** An actor's place, as whoever started it sees it. */
export interface Hosted<H> {
  readonly control: Control<H>
  /**
   * Ends the place at once, whatever the actor does; its death is not reported then. Rejects with `E_DEADLINE` when it
   * could not be ended in time.
   */
  kill(deadlineMs: number): Promise<void>
}
