import { types } from 'node:util'
import { TroupeError } from '../kernel/errors.js'
import { isLeaf } from './plain.js'

/**
 * Refuses, with `E_MESSAGE` and the path of the field, what would not arrive as it was sent: functions, symbols,
 * `tf.Tensor`s (a clone of one is a dead object), weak collections, promises and instances of classes with methods.
 * `where` names the port.
 */
export function checkCrossing(message: unknown, where: string): void {
  if (isFlat(message)) return
  const found = findUncrossable(message, '', new Set())
  if (found) throw refusal(found.path, found.what, where, found.hint)
}

/** `E_MESSAGE` for an error that the structured clone itself raised. */
export function cloneRefusal(error: unknown, where: string): TroupeError {
  return new TroupeError('E_MESSAGE', 'the message cannot be cloned', { where, cause: error })
}

/** Most messages are: nothing in them could not cross. */
function isFlat(value: unknown): boolean {
  if (isLeaf(value)) return true
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const key in value) if (key === 'dataId' || !isLeaf((value as Record<string, unknown>)[key])) return false
  return true
}

interface Uncrossable {
  readonly path: string
  readonly what: string
  readonly hint?: string
}

function refusal(path: string, what: string, where: string, hint?: string): TroupeError {
  const field = path === '' ? 'the message itself' : `field "${path}"`
  return new TroupeError('E_MESSAGE', `${field} is ${what}, which cannot cross a channel`, {
    where,
    hint: hint ?? 'Send plain data: objects, arrays, strings, numbers, typed arrays',
  })
}

function findUncrossable(value: unknown, path: string, seen: Set<object>): Uncrossable | undefined {
  if (typeof value === 'function') return { path, what: 'a function' }
  if (typeof value === 'symbol') return { path, what: 'a symbol' }
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
  seen.add(value)
  if (Array.isArray(value)) return findInList(value, path, seen)
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return undefined
  const refused = refuseObject(value, path)
  if (refused) return refused
  if (value instanceof Map) return findInList([...value].flat(1), path, seen)
  if (value instanceof Set) return findInList([...value], path, seen)
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key]
    if (isLeaf(member)) continue
    const found = findUncrossable(member, path === '' ? key : `${path}.${key}`, seen)
    if (found) return found
  }
  return undefined
}

function findInList(list: readonly unknown[], path: string, seen: Set<object>): Uncrossable | undefined {
  for (let i = 0; i < list.length; i++) {
    if (isLeaf(list[i])) continue
    const found = findUncrossable(list[i], `${path}[${i}]`, seen)
    if (found) return found
  }
  return undefined
}

function refuseObject(value: object, path: string): Uncrossable | undefined {
  if ('dataId' in value && ('rankType' in value || 'kept' in value)) {
    return { path, what: 'a tf.Tensor', hint: 'A tensor belongs to its thread: send { dtype, shape, data }' }
  }
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) || value instanceof WeakRef) {
    return { path, what: `a ${value.constructor.name}` }
  }
  if (types.isNativeError(value) || isBuiltIn(value)) return undefined
  for (let proto = Object.getPrototypeOf(value); proto !== null; proto = Object.getPrototypeOf(proto)) {
    if (proto === Object.prototype) return undefined
    const members = Object.getOwnPropertyNames(proto)
    if (members.length > 1) return { path, what: `an instance of ${value.constructor?.name ?? 'a class'}` }
  }
  return undefined
}

function isBuiltIn(value: object): boolean {
  return (
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isBoxedPrimitive(value)
  )
}
