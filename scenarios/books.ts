import type { RunEvent } from '../runtime/index.js'
import { type BookState, bookState, enter, type RunBook, resumeBook, runBook } from '../runtime/observe/book.js'
import { createIdleRatios } from './idle-ratios.js'
import { createUsage } from './usage.js'
import { createWholeRun } from './whole-run.js'

/** What a scenario counts while it runs, beside its actors. */
export interface Books {
  readonly usage: ReturnType<typeof createUsage>
  readonly book: RunBook
  readonly observe: (event: RunEvent) => void
  /** As a structured clone can hold it; it may not be changed before it is copied. */
  snapshot(): BooksState
}

export interface BooksState {
  readonly usage: ReturnType<ReturnType<typeof createUsage>['snapshot']>
  readonly endedAt: ReadonlyMap<string, number>
  readonly book: BookState
}

/** Keeps the books, and hands every event on, with those that follow from it. */
export function openBooks(
  plan: { readonly demonstrations: number; readonly prompts: number; readonly idle: Readonly<Record<string, string>> },
  observe: (event: RunEvent) => void,
  resume?: BooksState,
): Books {
  const usage = createUsage(resume?.usage)
  const book = resume ? resumeBook(resume.book) : runBook()
  const wholeRun = createWholeRun(plan, observe)
  const endedAt = new Map(resume?.endedAt)
  const idleRatios = createIdleRatios(plan.idle, observe, endedAt)
  return {
    usage,
    book,
    observe(event) {
      usage.observe(event)
      enter(book, event)
      observe(event)
      wholeRun(event)
      idleRatios(event)
    },
    snapshot: () => ({ usage: usage.snapshot(), endedAt, book: bookState(book) }),
  }
}
