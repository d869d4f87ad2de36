import { performance } from 'node:perf_hooks'

/** For how much of the time since it was asked last the event loop was at work: from 0 to 1. */
export function createBusyGauge (readLoop: () => { idle: number, active: number } = performance.eventLoopUtilization): () => number {
  let before = readLoop()

  return () => {
    const now = readLoop()
    const active = now.active - before.active
    const idle = now.idle - before.idle
    before = now
    return active / (active + idle)
  }
}
