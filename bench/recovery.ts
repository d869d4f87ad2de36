import { setTimeout as sleep } from 'node:timers/promises'
import type { Request } from 'autocannon'
import { median } from './report.ts'
import { sendOnce } from './requests.ts'

const PROBE_EVERY_MS = 50
const WATCHED_FOR_MS = 30_000

/** In milliseconds, or undefined if the log-in failed. */
async function timeLogin (url: string, request: Request): Promise<number | undefined> {
  const startedAt = performance.now()
  try {
    await sendOnce(url, request)
    return performance.now() - startedAt
  } catch {
    return undefined
  }
}

/** Everybody logs in once; the median time of that in milliseconds. */
export async function quietLogin (url: string, owners: readonly Request[]): Promise<number> {
  const times: number[] = []
  for (const owner of owners) {
    const took = await timeLogin(url, owner)
    if (took === undefined) throw new Error('A log-in failed with nothing else to do')
    times.push(took)
  }
  return median(times)
}

/** How long it takes until a log-in needs less than twice its quiet time, in seconds. */
export async function timeRecovery (url: string, owners: readonly Request[], quietMs: number): Promise<number> {
  const endedAt = performance.now()
  for (let probe = 0; performance.now() - endedAt < WATCHED_FOR_MS; probe++) {
    const took = await timeLogin(url, owners[probe % owners.length] as Request)
    if (took !== undefined && took < 2 * quietMs) break
    await sleep(PROBE_EVERY_MS)
  }
  return (performance.now() - endedAt) / 1000
}
