/** What must come about in some of many simulations: where one of these never does, the net has a hole. */
export const SOMETIMES = [
  'fault: host ends before a turn',
  'fault: host ends during a turn',
  'fault: host ends after a turn',
  'fault: host hangs',
  'fault: host ends before a commit',
  'fault: host ends after a commit',
  'fault: a commit is refused',
  'fault: host ends by itself',
  'fault: it throws in a turn',
  'fault: it throws at its start',
  'fault: snapshot() throws',
  'fault: a poisoned message',
  'fault: a frame is lost',
  'fault: a frame is doubled',
  'fault: a frame is late',
  'fault: the clock jumps',
  'a message is set aside',
  'a restored queue is worked off',
  'a sampler waits for a version',
  'a stale item is consumed',
  'a frame is sent again',
  'a window is used up',
  'a cut is checked',
  'a queue is put away',
  'a backlog is put away',
  'a supervisor restarts a sibling',
  'state: restarting',
  'code: E_HOST_DIED',
  'code: E_HOST_HUNG',
  'an ask is answered',
  'an ask finds its actor down',
  'mode: lively',
  'mode: exhaust',
  'mode: start',
  'mode: temporary',
  'mode: stop',
] as const

/** How often what came about. */
export class Reached {
  readonly counts = new Map<string, number>()

  add(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }
}
