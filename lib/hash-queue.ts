import { PublicError, UnavailableError } from './errors.ts'
import { createGathering } from './gathering.ts'
import { createUsualDuration } from './usual-duration.ts'
import { createWaitingLines } from './waiting-lines.ts'

export interface HashQueueOptions {
  /** Jobs that can run at a time. */
  concurrency: number
  /** Jobs beyond these that are begun already, and wait for their turn where they run. */
  ahead?: number
  /** Longest wait before a job starts, in milliseconds. */
  maxWaitMs: number
  /** Milliseconds of a steady clock. */
  now: () => number
}

/** On whose behalf a job runs. */
export interface Caller {
  /** The network that it comes from, which shares its places. */
  network: string
  /** Whether the account that it is about was used from this network before. */
  isKnown: boolean
  /** Aborted when nobody waits for the result any more. */
  signal?: AbortSignal
  /** Runs before the job, in its slot; if it throws, the job is not done. */
  begin?: () => void | Promise<void>
}

/** Told what becomes of jobs. */
export interface QueueWatcher {
  /** A job has its slot, and waited so many milliseconds for it. */
  started (waitedMs: number): void
  refused (): void
}

export interface HashQueue {
  /**
   * Runs the job when a slot is free and it is its turn. While others wait for one, its result may come up to `GATHER_MS` later.
   *
   * @throws UnavailableError at once, before any work, if by the queue's own measure the caller would wait longer than
   * `maxWaitMs`, or too many wait for its network already
   * @throws PublicError `client_closed_request` (499) if its signal is aborted before the job starts
   */
  run<T> (job: () => Promise<T>, caller: Caller): Promise<T>
  /**
   * Spares all work that comes before a job for which there is no time.
   *
   * @throws UnavailableError if `run` would throw it whatever account the job is about
   */
  requireRoom (network: string): void
  readonly waiting: number
  /** From now on tells this watcher, and no other. */
  watch (watcher: QueueWatcher): void
}

// How much later than its job a caller goes on at most.
const GATHER_MS = 100

/** A bounded queue in front of work that fills a core, such as password hashes. */
export function createHashQueue ({ concurrency, ahead = 0, maxWaitMs, now }: HashQueueOptions): HashQueue {
  const slots = concurrency + ahead
  const waiting = createWaitingLines()
  const finished = createGathering(GATHER_MS)
  const usual = createUsualDuration()
  let watcher: QueueWatcher | undefined
  let running = 0

  function enter (start: () => void, { network, isKnown, signal }: Caller, reject: (reason: Error) => void): void {
    const giveUp = (): void => {
      waiting.leave(entry)
      reject(clientGone())
    }
    const entry = {
      network,
      isKnown,
      start: () => {
        signal?.removeEventListener('abort', giveUp)
        start()
      }
    }
    waiting.enter(entry)
    signal?.addEventListener('abort', giveUp)
  }

  function startNext (): void {
    running--
    waiting.next()?.start()
  }

  async function work<T> (job: () => Promise<T>, caller: Caller): Promise<T> {
    const result = await workInSlot(job, caller)
    await goOnTogether()
    return result
  }

  // The next job starts before this one's caller goes on, so that no core idles meanwhile.
  async function workInSlot<T> (job: () => Promise<T>, { begin }: Caller): Promise<T> {
    running++
    try {
      if (begin !== undefined) await begin()
      return await measure(job)
    } finally {
      startNext()
    }
  }

  /** What follows a job takes half the time after another one's, while its code is in the processor's caches, and shares a commit of SQLite. */
  async function goOnTogether (): Promise<void> {
    const joined = finished.join()
    if (waiting.size < concurrency) finished.release()
    await joined
  }

  async function measure<T> (job: () => Promise<T>): Promise<T> {
    const startedAt = now()
    const shareOfTurn = Math.min(1, concurrency / running)
    try {
      return await job()
    } finally {
      usual.add((now() - startedAt) * shareOfTurn)
    }
  }

  function requirePlace (caller: Caller): void {
    if (running < slots || waiting.hasPlace(caller, Math.floor(maxWaitMs / usual.ms) * concurrency - ahead)) return
    watcher?.refused()
    const wait = Math.ceil((waiting.size + 1) / concurrency) * usual.ms
    throw new UnavailableError('Too many log-ins at a time; try again later', Math.max(1, Math.ceil(wait / 1000)))
  }

  return {
    async run (job, caller) {
      if (caller.signal?.aborted === true) throw clientGone()
      requirePlace(caller)
      if (running < slots) {
        watcher?.started(0)
        return await work(job, caller)
      }
      const enteredAt = now()
      return await new Promise((resolve, reject) => {
        enter(() => {
          watcher?.started(now() - enteredAt)
          work(job, caller).then(resolve, reject)
        }, caller, reject)
      })
    },

    requireRoom: (network) => { requirePlace({ network, isKnown: true }) },

    get waiting () { return waiting.size },

    watch (newWatcher) { watcher = newWatcher }
  }
}

function clientGone (): PublicError {
  return new PublicError(499, 'client_closed_request', 'The client closed the connection before its turn')
}
