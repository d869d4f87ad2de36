/** Where callers wait for each other, to go on one right after the other. */
export interface Gathering {
  /** Resolves when all who wait here go on. */
  join (): Promise<void>
  /** Lets them go on now, in the order in which they came. */
  release (): void
}

/** @param longestMs who joins goes on after so many milliseconds at the latest */
export function createGathering (longestMs: number): Gathering {
  let timer: NodeJS.Timeout | undefined
  let everybody: PromiseWithResolvers<void> | undefined

  function release (): void {
    clearTimeout(timer)
    everybody?.resolve()
    everybody = undefined
  }

  return {
    async join () {
      if (everybody === undefined) {
        everybody = Promise.withResolvers()
        timer = setTimeout(release, longestMs)
      }
      await everybody.promise
    },

    release
  }
}
