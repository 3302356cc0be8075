export { type Journal, type JournalOptions, openJournal } from './journal.js'
export { type ReadOptions, type ReadSnapshot, readJournal } from './read.js'
export type { RunIdentity } from './snapshot-file.js'
