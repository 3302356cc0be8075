import { filesIn, type SourceFile } from './files.js'

/** A fenced block of a page. */
interface Fence {
  readonly where: string
  readonly code: string
}

/** Every page of the documentation. */
export const pages = [...filesIn('docs', '.md'), ...filesIn('.', '.md').filter((file) => file.path === 'README.md')]

/** The fenced blocks of a page in one of the languages, each with the line at which it begins. */
export function fences(page: SourceFile, language: RegExp): Fence[] {
  return [...page.text.matchAll(/^```(\S*)[^\n]*\n([\s\S]*?)^```/gm)]
    .filter((match) => language.test(match[1]!))
    .map((match) => ({ where: `${page.path}:${page.text.slice(0, match.index).split('\n').length}`, code: match[2]! }))
}

/** Words of a command as a shell splits them, without its quotes. */
const wordsOf = (command: string) =>
  [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))

/** Each command of a shell block: lines joined where they end in a backslash, split at `&&`, prompts and comments off. */
export function commands({ where, code }: Fence): { where: string; words: string[] }[] {
  return code
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/(^|\s)#.*$/, '')
        .split('&&'),
    )
    .map((command) => ({ where, words: wordsOf(command) }))
}
