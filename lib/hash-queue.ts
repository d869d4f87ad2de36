import { UnavailableError } from './errors.ts'

export interface HashQueueOptions {
  /** Jobs that run at a time. */
  concurrency: number
  /** Longest wait before a job starts, in milliseconds. */
  maxWaitMs: number
  /** Milliseconds of a steady clock. */
  now: () => number
}

export interface HashQueue {
  /**
   * Runs the job when a slot is free.
   *
   * @throws UnavailableError at once, before any work, if by the queue's own measure no slot is free within `maxWaitMs`
   */
  run<T> (job: () => Promise<T>): Promise<T>
  readonly waiting: number
}

// How much of the average the newest job makes up: a change of pace counts after a few jobs.
const WEIGHT = 0.1

/** A bounded queue in front of work that fills a core, such as password hashes. */
export function createHashQueue ({ concurrency, maxWaitMs, now }: HashQueueOptions): HashQueue {
  const waiting: Array<() => void> = []
  let running = 0
  let averageMs = 0

  const expectedWaitMs = (): number => Math.ceil((waiting.length + 1) / concurrency) * averageMs

  function finish (tookMs: number): void {
    averageMs = averageMs === 0 ? tookMs : averageMs + (tookMs - averageMs) * WEIGHT
    running--
    waiting.shift()?.()
  }

  return {
    async run (job) {
      const wait = running < concurrency ? 0 : expectedWaitMs()
      if (wait > maxWaitMs) throw new UnavailableError('Too many log-ins at a time; try again later', Math.ceil(wait / 1000))

      return await new Promise((resolve, reject) => {
        const start = (): void => {
          running++
          const startedAt = now()
          // The next job starts before this one's caller goes on, so that no core idles meanwhile.
          attempt(job).finally(() => { finish(now() - startedAt) }).then(resolve, reject)
        }
        if (running < concurrency) start()
        else waiting.push(start)
      })
    },

    get waiting () { return waiting.length }
  }
}

// A job that throws instead of rejecting must give its slot back too.
async function attempt<T> (job: () => Promise<T>): Promise<T> {
  return await job()
}
