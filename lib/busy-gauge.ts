import { performance } from 'node:perf_hooks'

/** Tells whether the event loop was at work for more than a share of the last `overMs` milliseconds, or of longer if nobody asked. */
export function createBusyGauge ({ share, overMs }: { share: number, overMs: number }): () => boolean {
  let measuredAt = performance.now()
  let before = performance.eventLoopUtilization()
  let isBusy = false

  return () => {
    if (performance.now() - measuredAt < overMs) return isBusy
    const after = performance.eventLoopUtilization()
    isBusy = performance.eventLoopUtilization(after, before).utilization > share
    measuredAt = performance.now()
    before = after
    return isBusy
  }
}
