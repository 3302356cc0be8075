import { checkCrossing } from '../channel/crossing.js'
import { throughCodec } from '../channel/encoded-wire.js'
import type { Api } from '../kernel/actor.js'
import { TroupeError } from '../kernel/errors.js'
import type { CellSpec } from './stage.js'

/** What a method of an actor answers; `E_CONFIG` where there is none, `E_MESSAGE` for an answer that cannot cross. */
export async function answerOf(
  { name, remote }: Pick<CellSpec, 'name' | 'remote'>,
  api: Api,
  method: string,
  args: readonly unknown[],
): Promise<unknown> {
  const call = Object.hasOwn(api, method) ? api[method] : undefined
  if (!call) {
    const hint = `It has: ${Object.keys(api).join(', ') || 'none'}`
    throw new TroupeError('E_CONFIG', `${name} has no method "${method}"`, { where: name, hint })
  }
  const answer = await call(...(remote ? throughCodec(args) : args))
  checkCrossing(answer, `${name}, answer of "${method}"`)
  return remote ? throughCodec(answer) : answer
}
