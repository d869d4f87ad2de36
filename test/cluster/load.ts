import { setTimeout as pause } from 'node:timers/promises'
import { JOHN, type Tokens } from '../helper.ts'
import { logInAt, post, readProfileAt, refreshAt } from '../server-process.ts'
import { until } from '../postgres.ts'

/** What clients are seen to do all the time, about two hundred times a second. */
export interface Load {
  /** Resolves when so many more answers have come. */
  answers: (count: number) => Promise<void>
  stop: () => Promise<LoadResult>
}

export interface LoadResult {
  answered: number
  /** Everything but a good answer. */
  failures: string[]
  slowestMs: number
  /** The newest tokens of each session. */
  sessions: Tokens[]
}

const PAUSE_MS = 100
const READERS = 14
const REFRESHERS = 8
const LOG_INS = 2

/** Each client goes on when it was answered, until it is told to stop. */
export async function startLoad (at: { url: string }): Promise<Load> {
  const over = new AbortController()
  const sessions = await Promise.all(Array.from({ length: READERS + REFRESHERS }, async () => await logInAt(at)))
  const failures: string[] = []
  let answered = 0
  let slowestMs = 0

  async function repeat (name: string, ask: () => Promise<Response>, onGood: (response: Response) => Promise<unknown>): Promise<void> {
    while (!over.signal.aborted) {
      const askedAt = performance.now()
      try {
        const response = await ask()
        if (response.status === 200) await onGood(response)
        else failures.push(`${name}: ${response.status} ${await response.text()}`)
        answered++
        slowestMs = Math.max(slowestMs, performance.now() - askedAt)
      } catch (error) {
        failures.push(`${name}: ${String((error as Error).cause ?? error)}`)
      }
      await pause(PAUSE_MS)
    }
  }

  const ignore = async (response: Response): Promise<unknown> => await response.arrayBuffer()
  const clients = Promise.all([
    ...sessions.slice(0, READERS).map(async ({ access_token: token }) => { await repeat('profile', async () => await readProfileAt(at, token), ignore) }),
    ...sessions.slice(READERS).map(async (session) => {
      await repeat('refresh', async () => await refreshAt(at, session.refresh_token), async (response) => Object.assign(session, await response.json()))
    }),
    ...Array.from({ length: LOG_INS }, async () => { await repeat('log-in', async () => await post(`${at.url}/token`, JOHN), ignore) })
  ])

  return {
    async answers (count) {
      const wanted = answered + count
      if (!await until(() => answered >= wanted)) throw new Error('There are no answers')
    },
    async stop () {
      over.abort()
      await clients
      return { answered, failures, slowestMs, sessions }
    }
  }
}
