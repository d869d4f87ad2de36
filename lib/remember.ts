import { BoundedMap } from './bounded-map.ts'

/** Finds what belongs to a key. */
export type Find<Value> = (key: string) => Promise<Value | undefined>

/** Finds it without a promise where it is known. */
export type FindKnown<Value> = (key: string) => Value | Promise<Value | undefined>

/** Remembers the newest of what was found, as long as `version` gives the same. */
export function remember<Value> (find: Find<Value>, version: () => number, size: number): FindKnown<Value> {
  const known = new BoundedMap<string, Value>(size)
  let versionOfKnown = version()

  async function findAnew (key: string, foundAt: number): Promise<Value | undefined> {
    const value = await find(key)
    // Meanwhile somebody may have asked who saw a newer version: there this value could be of the past.
    if (value !== undefined && foundAt === versionOfKnown) known.set(key, value)
    return value
  }

  return (key) => {
    const current = version()
    if (current !== versionOfKnown) known.clear()
    versionOfKnown = current
    return known.get(key) ?? findAnew(key, current)
  }
}
