export interface TallyOptions {
  /** Least time between two reports, in milliseconds. */
  everyMs: number
  /** Epoch milliseconds. */
  now: () => number
  /** Gets how often it happened since the last report. */
  report: (count: number) => void
}

/**
 * Tells of what may happen very often: at once when it happens for the first time, then at most once in a while.
 * The answer is to be called each time that it happens.
 */
export function createTally ({ everyMs, now, report }: TallyOptions): () => void {
  let count = 0
  let reportedAt = -Infinity

  return () => {
    count++
    if (now() - reportedAt < everyMs) return
    reportedAt = now()
    report(count)
    count = 0
  }
}
