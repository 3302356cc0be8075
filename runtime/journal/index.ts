export { openJournal } from './journal.js'
export { readJournal } from './read.js'
