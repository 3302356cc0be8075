const list = (text: string): readonly string[] => text.split(' ')

/**
 * Ten kinds of thing, twenty words each. No word belongs to two kinds or to another class of the vocabulary; every kind
 * has words with a w and words with a v, or with one of them, so that "without w" asks for something.
 */
export const CATEGORIES = {
  birds: list(
    'sparrow crow owl swan wren hawk swallow raven dove vulture plover robin finch heron gull eagle duck goose falcon stork',
  ),
  animals: list(
    'wolf cow weasel walrus whale beaver vole viper lion tiger bear horse sheep goat rabbit mouse camel zebra monkey fox',
  ),
  trees: list(
    'willow walnut rowan yew hawthorn mangrove oak elm ash maple birch pine cedar beech larch poplar linden spruce acacia cypress',
  ),
  fruits: list(
    'strawberry watermelon kiwi pawpaw guava avocado apple pear plum cherry mango melon peach lemon lime grape banana fig apricot papaya',
  ),
  tools: list(
    'saw wrench screwdriver trowel crowbar shovel lever level anvil hammer pliers chisel drill axe rake hoe file clamp spade ladder',
  ),
  metals: list(
    'silver vanadium wolfram pewter gold iron copper zinc tin lead nickel cobalt chromium platinum titanium aluminium mercury sodium lithium uranium',
  ),
  colours: list(
    'yellow brown white violet lavender ivory mauve red blue green pink black grey purple crimson scarlet teal beige indigo turquoise',
  ),
  drinks: list(
    'wine water whisky vodka vermouth coffee tea milk juice beer cider lemonade cola rum gin brandy cocoa soda champagne sherry',
  ),
  cities: list(
    'warsaw moscow glasgow vienna venice havana geneva london rome madrid berlin lisbon oslo dublin athens cairo tokyo delhi lima toronto',
  ),
  sports: list(
    'swimming rowing wrestling bowling volleyball diving javelin tennis football rugby cricket hockey golf boxing judo fencing archery cycling surfing skiing',
  ),
} as const satisfies Record<string, readonly string[]>

export type Category = keyof typeof CATEGORIES
export const CATEGORY_NAMES = Object.keys(CATEGORIES) as Category[]

/** The kind that a person takes for it by mistake; mutual. */
export const NEIGHBOUR: Readonly<Record<Category, Category>> = {
  birds: 'animals',
  animals: 'birds',
  trees: 'fruits',
  fruits: 'trees',
  tools: 'metals',
  metals: 'tools',
  colours: 'drinks',
  drinks: 'colours',
  cities: 'sports',
  sports: 'cities',
}

const KIND_OF: ReadonlyMap<string, Category> = new Map(
  CATEGORY_NAMES.flatMap((name) => CATEGORIES[name].map((word): [string, Category] => [word, name])),
)

/** The kind that a word belongs to. */
export const kindOf = (word: string): Category | undefined => KIND_OF.get(word)
export const isCategory = (word: string): word is Category => Object.hasOwn(CATEGORIES, word)

/** Number words, by value: 0 to 5. */
export const NUMBERS = list('zero one two three four five')
export const LETTERS = ['w', 'v'] as const
export type Letter = (typeof LETTERS)[number]

/** Open-class words of the irrelevant context around a request. */
export const CONTEXT_WORDS = {
  person: list('uncle aunt teacher baker doctor sailor farmer singer nurse pilot neighbour painter'),
  mood: list('happy sleepy hungry curious tired gentle nervous brave lonely cheerful'),
  weather: list('rainy sunny foggy windy snowy stormy cloudy frosty'),
  time: list('monday friday sunday morning evening midnight winter summer'),
  place: list('beach garden office kitchen school market harbour village museum library forest castle'),
  occasion: list('party wedding picnic birthday exam concert holiday parade quiz festival'),
  hobby: list('dances sings paints reads jogs cooks writes travels'),
} as const
export type ContextClass = keyof typeof CONTEXT_WORDS

/** Courtesies that a rubric calls fluff, before and after an answer. */
export const FLUFF = {
  before: ['sure thing', 'of course', 'here goes'],
  after: ['good luck', 'have fun', 'take care'],
} as const

export const MARKERS = {
  pad: '<pad>',
  begin: '<s>',
  end: '</s>',
  unknown: '<unk>',
  answer: '<answer>',
  judge: '<judge>',
  prompts: '<prompts>',
  next: '<next>',
} as const

const FUNCTION_WORDS = list(
  'name and or without alphabetically what are each : , ? . in at with from likes yes no so score',
)

/** Every word and marker once, in the fixed order that numbers them. */
export const WORDS: readonly string[] = [
  ...new Set([
    ...Object.values(MARKERS),
    ...FUNCTION_WORDS,
    ...NUMBERS,
    ...LETTERS,
    ...CATEGORY_NAMES,
    ...CATEGORY_NAMES.flatMap((name) => CATEGORIES[name]),
    ...Object.values(CONTEXT_WORDS).flat(),
    ...[...FLUFF.before, ...FLUFF.after].flatMap(list),
  ]),
]
