/** Every built-in world: the URLs of its two modules. Only the evaluator is given the second. */
export const worlds = {
  default: {
    title: 'instructions over ten kinds of things, answered and judged by people who slip',
    world: new URL('./default/world.js', import.meta.url).href,
    gold: new URL('./default/gold.js', import.meta.url).href,
  },
} as const
