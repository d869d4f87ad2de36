interface Entry<Owner, Value> {
  owner: Owner
  value: Value
}

/** A map that forgets its oldest entry when it is full, and all entries of one owner without looking at those of others. */
export class OwnedMap<Key, Owner, Value> {
  readonly #entries = new Map<Key, Entry<Owner, Value>>()
  readonly #keysOf = new Map<Owner, Set<Key>>()
  readonly #size: number

  constructor (size: number) {
    this.#size = size
  }

  get (key: Key): Value | undefined {
    return this.#entries.get(key)?.value
  }

  /** An entry that is replaced is the newest one. */
  set (key: Key, owner: Owner, value: Value): void {
    this.#delete(key)
    if (this.#entries.size >= this.#size) {
      const [oldest] = this.#entries.keys()
      this.#delete(oldest as Key)
    }
    this.#entries.set(key, { owner, value })
    const keys = this.#keysOf.get(owner) ?? new Set()
    this.#keysOf.set(owner, keys.add(key))
  }

  deleteOf (owner: Owner): void {
    for (const key of this.#keysOf.get(owner) ?? []) this.#entries.delete(key)
    this.#keysOf.delete(owner)
  }

  clear (): void {
    this.#entries.clear()
    this.#keysOf.clear()
  }

  /** How many owners have an entry. */
  get owners (): number {
    return this.#keysOf.size
  }

  #delete (key: Key): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    const keys = this.#keysOf.get(entry.owner) as Set<Key>
    keys.delete(key)
    if (keys.size === 0) this.#keysOf.delete(entry.owner)
  }
}
