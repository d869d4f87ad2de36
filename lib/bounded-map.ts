/** A map that forgets its oldest entry when it is full. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #size: number

  constructor (size: number) {
    this.#size = size
  }

  get (key: Key): Value | undefined {
    return this.#entries.get(key)
  }

  set (key: Key, value: Value): void {
    if (this.#entries.size >= this.#size && !this.#entries.has(key)) {
      const [oldest] = this.#entries.keys()
      this.#entries.delete(oldest as Key)
    }
    this.#entries.set(key, value)
  }

  clear (): void {
    this.#entries.clear()
  }
}
