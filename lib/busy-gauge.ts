interface Reading {
  /** Of the event loop's thread, in microseconds. */
  cpu: { user: number, system: number }
  /** In milliseconds. */
  at: number
}

const readThread = (): Reading => ({ cpu: process.threadCpuUsage(), at: performance.now() })

/**
 * How much of a core the event loop took since it was asked last: from 0 to 1. That it waits for the disk, or for a core,
 * is no work.
 */
export function createBusyGauge (read: () => Reading = readThread): () => number {
  let before = read()

  return () => {
    const now = read()
    const worked = now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system
    const elapsed = now.at - before.at
    before = now
    return worked / 1000 / elapsed
  }
}
