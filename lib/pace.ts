/** Lets callers go at once while there is no hurry, and one after the other, in their order, while there is. */
export interface Pace {
  pass (go: () => void): void
  /** Lets all go who wait, and from now on everybody at once. */
  stop (): void
}

interface PaceOptions {
  isBusy: () => boolean
  /** Of those who wait. */
  perSecond: number
}

const EVERY_MS = 10

export function createPace ({ isBusy, perSecond }: PaceOptions): Pace {
  const waiting: Array<() => void> = []
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  function letGo (count: number): void {
    for (const go of waiting.splice(0, count)) go()
    timer = waiting.length === 0 ? undefined : setTimeout(letGo, EVERY_MS, perSecond * EVERY_MS / 1000)
  }

  return {
    pass (go) {
      if (isStopped || (waiting.length === 0 && !isBusy())) {
        go()
        return
      }
      waiting.push(go)
      timer ??= setTimeout(letGo, EVERY_MS, perSecond * EVERY_MS / 1000)
    },

    stop () {
      isStopped = true
      clearTimeout(timer)
      letGo(waiting.length)
    }
  }
}
