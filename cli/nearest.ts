/** The known names that are most like `given`, best first; only those near enough to be a slip of the hand. */
export function nearest(given: string, known: readonly string[], count = 3): string[] {
  const wanted = given.toLowerCase()
  return known
    .map((name) => ({ name, distance: likeness(wanted, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(Math.max(wanted.length, name.length) / 3)))
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, count)
    .map(({ name }) => name)
}

/** ` Did you mean "x"?` with its alternatives, or the list of all known names where none is near. */
export function suggest(given: string, known: readonly string[], kinds: string): string {
  const near = nearest(given, known)
  if (near.length > 0) return `Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`
  return known.length > 0 ? `Known ${kinds}: ${known.join(', ')}` : `There are no ${kinds}`
}

/** Edit distance; 1 where one name is the last part of the other (`max` for `staleness.max`). */
function likeness(a: string, b: string): number {
  if (b.endsWith(`.${a}`) || a.endsWith(`.${b}`)) return 1
  return editDistance(a, b)
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
