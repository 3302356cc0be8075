import type { Judgment } from './messages.js'
import type { Rater } from './rater.js'
import { loadModule, type ModuleReference } from './shared.js'
import type { AnnotatorModule } from './world.js'

/** A world's annotator as a rater, for the annotator role; no other actor imports this file, and a test holds that. */
export async function loadAnnotator(reference: ModuleReference): Promise<Rater> {
  const { createAnnotator } = await loadModule<AnnotatorModule>(reference, 'createAnnotator')
  const annotator = createAnnotator(reference.options)
  return {
    score: async (questions) =>
      questions.map(({ prompt, answer, random }): Judgment => {
        const score = annotator.score(prompt, answer, random)
        return score === undefined ? { verdicts: [], unreadable: 1 } : { score, verdicts: [score], unreadable: 0 }
      }),
    compare: async (matches) =>
      matches.map(({ prompt, first, second, random }) => annotator.compare(prompt, first, second, random)),
  }
}
