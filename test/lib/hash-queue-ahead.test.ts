import t from 'tap'
import { UnavailableError } from '../../lib/errors.ts'
import { createHashQueue } from '../../lib/hash-queue.ts'
import { createBench, refusalOf } from './hash-queue-bench.ts'

const JOB_MS = 10
const MAX_WAIT_MS = 2000
/** The queue knows the jobs that came before, of which the last of a burst have a thread for themselves. */
const ESTIMATE = 1.05

/** A queue in front of threads that take what was begun in its order, on a clock that jumps to the next end of a job. */
function createThreads (threads: number, ahead: number) {
  let now = 0
  const begun: Array<() => void> = []
  const busyUntil: Array<{ at: number, end: () => void }> = []
  const queue = createHashQueue({ concurrency: threads, ahead, maxWaitMs: MAX_WAIT_MS, now: () => now })

  async function turn (): Promise<void> {
    for (; busyUntil.length < threads && begun.length > 0;) begun.shift()?.()
    busyUntil.sort((one, other) => one.at - other.at)
    const next = busyUntil.shift()
    if (next === undefined) return
    now = next.at
    next.end()
    await new Promise(setImmediate)
  }

  /** When a thread took the job, in milliseconds after it was asked for; undefined if it was refused. */
  async function wait (network: string): Promise<number | undefined> {
    const askedAt = now
    let takenAt = NaN
    try {
      await queue.run(async () => {
        await new Promise<void>((resolve) => {
          begun.push(() => {
            takenAt = now
            busyUntil.push({ at: now + JOB_MS, end: resolve })
          })
        })
      }, { network, isKnown: true })
      return takenAt - askedAt
    } catch (error) {
      if (error instanceof UnavailableError) return undefined
      throw error
    }
  }

  async function runUntil<Result> (work: Promise<Result>): Promise<Result> {
    const unfinished = new Set([work])
    work.finally(() => { unfinished.clear() }).catch(() => {})
    while (unfinished.size > 0) await turn()
    return await work
  }

  return { wait, runUntil }
}

for (const { threads, ahead } of [{ threads: 2, ahead: 0 }, { threads: 2, ahead: 1 }, { threads: 1, ahead: 1 }, { threads: 4, ahead: 1 }]) {
  for (const before of ['single jobs', 'jobs of all threads']) {
    t.test(`after ${before} nobody is let in who waits for a thread longer than he may, and no place is wasted: ${threads} threads, ${ahead} ahead`, async (t) => {
      const { wait, runUntil } = createThreads(threads, ahead)
      const atATime = before === 'single jobs' ? 1 : 5 * threads
      for (let round = 0; round < 40; round++) await runUntil(Promise.all(Array.from({ length: atATime }, async (_, index) => await wait(`network ${index}`))))

      const waits = (await runUntil(Promise.all(Array.from({ length: 3000 }, async (_, index) => await wait(`network ${index}`))))).filter((ms) => ms !== undefined)

      const places = MAX_WAIT_MS / JOB_MS * threads
      t.ok(Math.max(...waits) <= ESTIMATE * MAX_WAIT_MS, `the longest wait is ${Math.max(...waits)} ms`)
      t.ok(waits.length >= 0.9 * places && waits.length <= ESTIMATE * places, `${waits.length} of ${places} were let in`)
    })
  }
}

t.test('one ahead is begun while all slots are used, and those behind it are told how long it takes', async (t) => {
  const { queue, started, ask, measure } = createBench({ concurrency: 2, ahead: 1, maxWaitMs: 2000 })
  await measure(1000)

  for (let asked = 0; asked < 6; asked++) ask().catch(() => {})

  t.strictSame(started, [0, 1, 2])
  t.equal(queue.waiting, 3)
  t.strictSame((await refusalOf(queue)).headers, { 'retry-after': '2' })
})
