import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root: this file is compiled to dist/test/repository/. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** Every file below a folder (which need not exist) with one of the endings; never in node_modules or hidden folders. */
export function filesIn(folder: string, ...endings: readonly string[]): SourceFile[] {
  let names: string[]
  try {
    names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
  return names
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .filter((name) => !name.split(sep).some((part) => part === 'node_modules' || part.startsWith('.')))
    .map((name) => join(ROOT, folder, name))
    .map((path) => ({ path: relative(ROOT, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }))
}

/** What a TypeScript file imports, exports from or imports lazily; types included. */
export function importsOf({ text }: SourceFile): string[] {
  const statements =
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g
  return [...withoutComments(text).matchAll(statements)].map((match) => match[1] ?? match[2] ?? match[3]!)
}

/** The program alone: what a comment mentions is no use of it. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1')
}
