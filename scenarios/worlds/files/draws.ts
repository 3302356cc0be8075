import type { Demonstration, World } from '../../../actors/world.js'
import { assert, TroupeError } from '../../../runtime/kernel/errors.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { type FilesData, type Reading, readData } from './data.js'
import { passes } from './passes.js'

/** The order of demonstrations, which is the same in every call for a part of them. */
const DEMONSTRATED = seededRandom(0, 'demonstrations')

type Draws = Required<
  Pick<World, 'open' | 'demonstrationCount' | 'prompts' | 'demonstrations' | 'answers' | 'preferences'>
>

/** What is drawn from one's own files, which `open` reads. */
export function filesDraws(reading: Omit<Reading, 'bound'>): Draws {
  const { options, language } = reading
  let data: FilesData | undefined

  function some<K extends Exclude<keyof FilesData, 'answers'>>(key: K, what: string): FilesData[K] {
    assert(data, 'a world is opened before its data are drawn')
    if (data[key].length > 0) return data[key]
    throw new TroupeError('E_DATA', `the files have no ${what}`, {
      where: [options.prompts, options.pairs, options.demonstrations].filter((path) => path !== undefined).join(', '),
      hint: key === 'heldOut' ? 'Give more prompts, or raise world.options.heldOut' : 'Give a file with some',
    })
  }

  return {
    async open() {
      data ??= await readData(reading)
    },
    demonstrationCount: () => data?.demonstrations.length ?? 0,
    prompts(count, random, { heldOut }) {
      if (!heldOut) return passes(some('prompts', 'prompts to train on'), count, random)
      return random.shuffle(some('heldOut', 'prompts that are held out')).slice(0, count)
    },
    demonstrations({ ift, eft, prompts, meta = 0 }, _random, before) {
      if (eft + prompts + meta > 0)
        throw new TroupeError('E_CONFIG', 'own data have no demonstrations of judging, or of inventing prompts', {
          where: 'demonstrations',
          hint: 'Set their numbers to 0',
        })
      if (ift === 0) return []
      const all = some('demonstrations', 'demonstrations')
      return passes(all, ift, DEMONSTRATED, before?.ift).map(({ prompt, answer }): Demonstration => {
        const { text, tokens } = language.answer(prompt, answer)
        return { kind: 'ift', prompt: language.context(prompt), completion: text, tokens }
      })
    },
    answers(prompt, count) {
      assert(data, 'a world is opened before its data are drawn')
      return (data.answers.get(prompt) ?? []).slice(0, count)
    },
    preferences(count, random, { answers }) {
      if (answers > 2)
        throw new TroupeError('E_CONFIG', `pairs have two answers, not ${answers}`, {
          where: 'answers',
          hint: 'Choose 2',
        })
      return passes(some('pairs', 'pairs'), count, random)
    },
  }
}
