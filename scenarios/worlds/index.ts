/** Every built-in world: the URLs of its modules. Only the evaluator is given `gold`, only the annotator `annotator`. */
export const worlds = {
  default: {
    title: 'instructions over ten kinds of things, answered and judged by people who slip',
    world: new URL('./default/world.js', import.meta.url).href,
    gold: new URL('./default/gold.js', import.meta.url).href,
    annotator: new URL('./default/annotator.js', import.meta.url).href,
  },
  files: {
    title: 'prompts, pairs and demonstrations of one’s own, in files, in the language of one’s own model',
    world: new URL('./files/world.js', import.meta.url).href,
  },
} as const
