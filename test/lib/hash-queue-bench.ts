import { UnavailableError } from '../../lib/errors.ts'
import { createHashQueue, type Caller, type HashQueue } from '../../lib/hash-queue.ts'

export const SOMEBODY: Caller = { network: '192.0.2.1', isKnown: true }

export interface Bench {
  queue: HashQueue
  /** The numbers of the jobs that were begun. */
  started: number[]
  /** Asks for a job, each from another network; `end` and `fail` take the numbers of jobs in the order in which they were asked for. */
  ask (caller?: Partial<Caller>): Promise<number>
  end (number: number): void
  fail (number: number, error: Error): void
  advance (ms: number): void
  /** Tells the queue how long a job takes, by doing one. */
  measure (ms: number): Promise<void>
}

/** A queue whose clock stands still and whose jobs end when they are told to. */
export function createBench ({ concurrency = 1, ahead = 0, maxWaitMs = 60_000 } = {}): Bench {
  let now = 0
  const queue = createHashQueue({ concurrency, ahead, maxWaitMs, now: () => now })
  const started: number[] = []
  const jobs: Array<PromiseWithResolvers<number>> = []

  return {
    queue,
    started,
    ask (caller: Partial<Caller> = {}): Promise<number> {
      const number = jobs.push(Promise.withResolvers<number>()) - 1
      const { promise } = jobs[number] as PromiseWithResolvers<number>
      return queue.run(async () => {
        started.push(number)
        return await promise
      }, { network: `network ${number}`, isKnown: true, ...caller })
    },
    end (number: number): void { jobs[number]?.resolve(number) },
    fail (number: number, error: Error): void { jobs[number]?.reject(error) },
    advance (ms: number): void { now += ms },
    async measure (ms: number): Promise<void> {
      await queue.run(async () => { now += ms }, SOMEBODY)
    }
  }
}

export async function refusalOf (queue: HashQueue, caller = SOMEBODY): Promise<UnavailableError> {
  try {
    await queue.run(async () => { throw new Error('the job was run') }, caller)
  } catch (error) {
    if (error instanceof UnavailableError) return error
    throw error
  }
  throw new Error('the job was taken')
}
