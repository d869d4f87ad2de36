/** Lets callers go at once while there is no hurry, and each after a while of its own while there is. */
export interface Pace {
  /** Gives what makes the caller wait no longer, and never go. */
  pass (go: () => void): () => void
  /** Lets all go who wait, and from now on everybody at once. */
  stop (): void
}

interface PaceOptions {
  /** How much of a core was needed since it was asked last: from 0 to 1. */
  busyShare: () => number
  /** Milliseconds of a steady clock. */
  now: () => number
  /** From 0 to 1. */
  random: () => number
}

/** More than this is a hurry. */
const BUSY_SHARE = 0.65
const MEASURED_OVER_MS = 250
/** On average: each waits between nothing and twice as long, so that those who came together go one by one. */
const FIRST_DELAY_MS = 20
const LONGEST_DELAY_MS = 500
const HALVED_AFTER_MS = 2000

/** The wait doubles for as long as the hurry lasts, and passes with it. */
export function createPace ({ busyShare, now, random }: PaceOptions): Pace {
  const waiting = new Map<() => void, NodeJS.Timeout>()
  let measuredAt = now()
  let delayMs = 0
  let isStopped = false

  function adapt (): void {
    const elapsed = now() - measuredAt
    if (elapsed < MEASURED_OVER_MS) return
    measuredAt += elapsed
    if (busyShare() > BUSY_SHARE) delayMs = Math.min(Math.max(2 * delayMs, FIRST_DELAY_MS), LONGEST_DELAY_MS)
    else delayMs *= 0.5 ** (elapsed / HALVED_AFTER_MS)
    if (delayMs < FIRST_DELAY_MS / 2) delayMs = 0
  }

  function leave (go: () => void): void {
    clearTimeout(waiting.get(go))
    waiting.delete(go)
  }

  return {
    pass (go) {
      adapt()
      if (isStopped || delayMs === 0) {
        go()
      } else {
        waiting.set(go, setTimeout(() => {
          leave(go)
          go()
        }, 2 * delayMs * random()))
      }
      return () => { leave(go) }
    },

    stop () {
      isStopped = true
      for (const go of [...waiting.keys()]) {
        leave(go)
        go()
      }
    }
  }
}
