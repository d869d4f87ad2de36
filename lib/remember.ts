import type { Announcements } from './database/announcements.ts'
import { OwnedMap } from './owned-map.ts'

interface Known<Value> {
  value: Value
  /** In the time of `now`. */
  goodUntil: number
}

/** Finds what belongs to a key. */
export type Find<Value> = (key: string) => Promise<Value | undefined>

/** Finds it without a promise where it is known. */
export type FindKnown<Value> = (key: string) => Value | Promise<Value | undefined>

export interface MemoryBounds {
  size: number
  /** In milliseconds. */
  maxAgeMs: number
  /** Milliseconds of a clock that nobody sets. */
  now: () => number
}

/**
 * Remembers the newest of what was found until a change is announced that concerns its owner, and for `maxAgeMs` at
 * most; nothing while announcements are not heard.
 *
 * @param ownerOf gives the id of the user whom a value is about; without it every change counts
 */
export function remember<Value> (find: Find<Value>, ownerOf: (value: Value) => string | undefined, announcements: Announcements, { size, maxAgeMs, now }: MemoryBounds): FindKnown<Value> {
  const known = new OwnedMap<string, string | undefined, Known<Value>>(size)
  let changes = 0

  announcements.subscribe((userId) => {
    changes++
    if (userId === undefined) {
      known.clear()
    } else {
      known.deleteOf(userId)
      known.deleteOf(undefined)
    }
  })

  async function findAnew (key: string): Promise<Value | undefined> {
    const changesBefore = changes
    const foundAt = now()
    const value = await find(key)
    // What was announced meanwhile may be about this value, as it was before.
    if (value !== undefined && changes === changesBefore) known.set(key, ownerOf(value), { value, goodUntil: foundAt + maxAgeMs })
    return value
  }

  return (key) => {
    if (!announcements.isHeard()) return find(key)
    const found = known.get(key)
    return found !== undefined && now() < found.goodUntil ? found.value : findAnew(key)
  }
}
