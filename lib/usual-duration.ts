/** How long something takes of late, in milliseconds. */
export interface UsualDuration {
  /** 0 as long as nothing is known. */
  readonly ms: number
  /** Takes note of how long it took once more. */
  add (tookMs: number): void
}

// How much of the average the newest one makes up: a change of pace counts after a few.
const WEIGHT = 0.1
// As how many times the average one alone counts at most: what was stopped for a minute and goes on has not become slow.
const OUTLIER = 4

/** The first few count equally, but for the very first: what is used for the first time is several times as slow. */
export function createUsualDuration (): UsualDuration {
  let averageMs = 0
  let count = 0

  return {
    get ms () { return averageMs },

    add (tookMs) {
      const bounded = count === 0 ? tookMs : Math.min(tookMs, OUTLIER * averageMs)
      const weight = Math.min(1, Math.max(WEIGHT, 1 / count))
      averageMs += (bounded - averageMs) * weight
      count++
    }
  }
}
