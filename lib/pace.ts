/** Lets callers go at once while there is no hurry, and one after the other, in their order, while there is. */
export interface Pace {
  /** Gives what leaves the line without being let go. */
  pass (go: () => void): () => void
  /** Lets all go who wait, and from now on everybody at once. */
  stop (): void
}

interface PaceOptions {
  isBusy: () => boolean
  /** Milliseconds of a steady clock. */
  now: () => number
  /** Of those who wait. */
  perSecond: number
}

const EVERY_MS = 10

export function createPace ({ isBusy, now, perSecond }: PaceOptions): Pace {
  const waiting = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  function letGo (count: number): void {
    for (const go of [...waiting].slice(0, count)) {
      waiting.delete(go)
      go()
    }
  }

  // A busy event loop is late: by the clock, as many go as if it were not.
  function goOn (): void {
    const from = now()
    timer = setTimeout(() => {
      letGo(Math.ceil((now() - from) * perSecond / 1000))
      timer = undefined
      if (waiting.size > 0) goOn()
    }, EVERY_MS)
  }

  return {
    pass (go) {
      if (isStopped || (waiting.size === 0 && !isBusy())) {
        go()
      } else {
        waiting.add(go)
        if (timer === undefined) goOn()
      }
      return () => { waiting.delete(go) }
    },

    stop () {
      isStopped = true
      clearTimeout(timer)
      letGo(waiting.size)
    }
  }
}
