/** A defect of the kernel, as a replacement in its compiled files: `find` must be there exactly once. */
export interface Defect {
  readonly name: string
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[]
}

function defect(name: string, file: string, find: string, replace: string): Defect {
  return { name, edits: [{ file, find, replace }] }
}

const RECEIVER = 'runtime/channel/receiver.js'
const SENDER = 'runtime/channel/sender.js'
const CONNECTION = 'runtime/channel/connection.js'
const INPUT = 'runtime/channel/input-port.js'
const CELL = 'runtime/placement/cell.js'
const MEMBER = 'runtime/kernel/member.js'
const RESTARTS = 'runtime/kernel/restarts.js'
const SUPERVISION = 'runtime/kernel/supervision.js'
const RUN = 'runtime/kernel/run.js'
const ROLES = 'test/sim/roles.js'

/** What the simulations must find. */
export const DEFECTS: readonly Defect[] = [
  defect(
    'a credit is lost',
    RECEIVER,
    'upTo: this.#acked + this.window }',
    'upTo: this.#acked + this.window - Math.min(1, this.#acked) }',
  ),
  defect('a grant counts twice', SENDER, 'this.#upTo = Math.max(this.#upTo, upTo);', 'this.#upTo += upTo - acked;'),
  defect(
    'one message more than granted',
    SENDER,
    'Math.max(0, this.#upTo - this.#next)',
    'Math.max(0, this.#upTo - this.#next + 1)',
  ),
  defect(
    'one acknowledgement too many',
    RECEIVER,
    'this.#acked = this.#taken;',
    'this.#acked = this.#taken + Math.min(1, this.#taken);',
  ),
  defect(
    'acknowledged before it is put away',
    RECEIVER,
    'take() {',
    'take() { this.#acked = this.#taken + 1; if (this.#wire) this.#grant(this.#wire);',
  ),
  defect('outputs leave before they are put away', CELL, 'wiring.settle();', 'wiring.settle(); wiring.release();'),
  defect(
    'weights are published before they are put away',
    'runtime/placement/effects.js',
    'if (held || working())',
    'if (!held && working())',
  ),
  defect(
    'a commit forgets what waits for credit',
    CONNECTION,
    'return { backlog: this.#backlog,',
    'return { backlog: [],',
  ),
  defect(
    'a commit forgets what was put away before',
    'runtime/placement/commit.js',
    'kept: [...still, ...after.kept]',
    'kept: after.kept',
  ),
  {
    name: 'a restored sender counts from 0 again',
    edits: [
      { file: SENDER, find: 'this.#base = state.base;', replace: 'this.#base = 0;' },
      {
        file: SENDER,
        find: 'this.#putAway = state.base + state.kept.length;',
        replace: 'this.#putAway = state.kept.length;',
      },
    ],
  },
  defect('doubles are not dropped', RECEIVER, 'if (past >= length) {', 'if (past > length) {'),
  defect(
    'a restored queue is turned round',
    INPUT,
    'known.sort((a, b) => rank(a) - rank(b));',
    'known.sort((a, b) => rank(b) - rank(a));',
  ),
  defect(
    'a restart loses the last message',
    RECEIVER,
    '= this.#acked = state.acked;',
    '= this.#acked = state.acked + Math.min(1, state.acked);',
  ),
  defect(
    'a restart forgets the state of the role',
    CELL,
    'if (resume?.role !== undefined)',
    'if (resume?.role === null)',
  ),
  defect('poison is never set aside', MEMBER, 'if (tries < MAX_TRIES)', 'if (tries < Infinity)'),
  defect('a message is set aside at its first failure', MEMBER, 'const MAX_TRIES = 3;', 'const MAX_TRIES = 1;'),
  defect('another message than the last is suspected', MEMBER, 'this.#taken.at(-1)', 'this.#taken.at(-2)'),
  defect('what is set aside waits for the next turn', 'runtime/kernel/gate.js', 'this.#leaving = true;', ''),
  defect('two lives at once', RESTARTS, 'if (!wasLost)', 'if (wasLost)'),
  defect('a pause before a restart outlives the run', RUN, 'this.#restarts.stop();', ''),
  defect('nobody is joined again with who was restarted', RUN, 'for (const tell of others)', 'for (const tell of [])'),
  defect(
    'a pause before a restart never ends',
    RESTARTS,
    'await this.#backOff(delayMs);',
    'await new Promise(() => {});',
  ),
  defect(
    'one failure in a restart of many ends it',
    RESTARTS,
    'this.failed(member, error instanceof',
    'return this.failed(member, error instanceof',
  ),
  defect(
    'a host that hangs is not found',
    'runtime/placement/heartbeat.js',
    'else if (++missed >= allowed)',
    'else if (missed >= allowed)',
  ),
  defect(
    'the end of a host is not told',
    RUN,
    "this.observe({ type: 'state', actor: member.identity, at, state: 'failed', error: toWire(error) });",
    '',
  ),
  {
    name: 'siblings share a budget',
    edits: [
      { file: SUPERVISION, find: 'this.#restarts.get(name)', replace: 'this.#restarts.get(under)' },
      {
        file: SUPERVISION,
        find: 'this.#restarts.set(name, [...recent',
        replace: 'this.#restarts.set(under, [...recent',
      },
    ],
  },
  defect(
    'a supervisor never escalates',
    SUPERVISION,
    'if (under === ROOT || !retry)',
    'if (under !== undefined || !retry)',
  ),
  defect(
    'one restart too many is borne',
    SUPERVISION,
    'recent.length >= policy.maxRestarts',
    'recent.length > policy.maxRestarts',
  ),
  defect(
    'what a replica leaves behind is dropped',
    CONNECTION,
    '[...target.abandon(), ...this.#backlog]',
    'target.abandon() && this.#backlog',
  ),
  defect(
    'siblings of a replica that may go are told of the end too early',
    CONNECTION,
    'if (this.targets.length > 1 && ',
    'if (this.targets.length < 1 && ',
  ),
  defect(
    'nothing is sent again',
    SENDER,
    'this.#stopRepeat = this.#options.clock.after(wait, () => this.#repeat());',
    '',
  ),
  defect('sending again is put off by whatever else is sent', SENDER, 'if (!this.#stopRepeat)', 'if (this.#options)'),
  defect('a wait outlives its sender', SENDER, 'close() {\n        this.#stopRepeat?.();', 'close() {'),
  defect(
    'the end comes before what waits for credit',
    CONNECTION,
    'if (!this.#ending || this.#backlog.length > 0)',
    'if (!this.#ending)',
  ),
  defect(
    'an input ends before what waits in it is taken',
    INPUT,
    'if (this.#ended || this.#waiting.length > 0 || ',
    'if (this.#ended || ',
  ),
  defect(
    'the version that is waited for is ignored',
    'runtime/tensor/local-weights.js',
    'if (now >= version)',
    'if (now >= 0)',
  ),
  defect(
    'a version is read after the work',
    ROLES,
    'this.#pass(item, { version });',
    'this.#pass(item, { version: weights.version() });',
  ),
  defect(
    'who stops first is forgotten when another stops, too',
    CELL,
    'this.#untilTurnEnds.splice(0)',
    'this.#untilTurnEnds.splice(-1)',
  ),
]
