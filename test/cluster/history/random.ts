/** Numbers that look random and are the same again for the same seed. */
export interface Random {
  /** From 0 to below `below`. */
  index: (below: number) => number
  /** Whether that happens which does so often, from 0 to 1. */
  chance: (share: number) => boolean
  pick: <Value>(values: readonly Value[]) => Value
  shuffle: <Value>(values: readonly Value[]) => Value[]
}

/** Tommy Ettinger's Mulberry32. */
export function createRandom (seed: number): Random {
  let state = seed
  function next (): number {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const index = (below: number): number => Math.floor(next() * below)
  return {
    index,
    chance: (share) => next() < share,
    pick: <Value>(values: readonly Value[]) => {
      if (values.length === 0) throw new RangeError('There is nothing to pick from')
      return values[index(values.length)] as Value
    },
    shuffle: (values) => values.map((value) => ({ value, place: next() })).toSorted((one, other) => one.place - other.place).map(({ value }) => value)
  }
}
