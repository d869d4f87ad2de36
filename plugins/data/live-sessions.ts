import { setImmediate as otherRequests } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { parameter } from '../../lib/database/prepared.ts'
import type { Database } from './database.ts'

export interface LiveSessions {
  /** How many sessions there are that have not ended; up to `COUNT_EVERY_MS` old. */
  count (): Promise<number>
}

declare module 'fastify' {
  interface FastifyInstance {
    liveSessions: LiveSessions
  }
}

/** How long a count is good enough, in milliseconds. */
export const COUNT_EVERY_MS = 60_000
/** Other requests are served after so many sessions. */
export const SLICE = 1000

interface Slice {
  live: number
  /** The last id that was looked at; null when there was none. */
  last: string | null
}

export function createLiveSessions ({ db, prepareRead }: Pick<Database, 'db' | 'prepareRead'>, { now }: { now: () => number }): LiveSessions {
  const slice = db.selectFrom('sessions').select(['id', 'revoked_at', 'expires_at', 'idle_expires_at'])
    .where('id', '>', parameter('after')).orderBy('id').limit(SLICE)

  const readSlice = prepareRead(db.selectFrom(slice.as('slice')).select(({ fn }) => [
    fn.countAll<number>()
      .filterWhere('revoked_at', 'is', null)
      .filterWhere('expires_at', '>', parameter('at'))
      .filterWhere('idle_expires_at', '>', parameter('at'))
      .as('live'),
    fn.max('id').as('last')
  ]))

  let counted: Promise<number> | undefined
  let countedAt = -Infinity

  async function countAll (): Promise<number> {
    const at = now()
    let live = 0
    let after: string | null = ''
    while (after !== null) {
      const found = await readSlice({ after, at }) as Slice
      live += found.live
      after = found.last
      await otherRequests()
    }
    return live
  }

  return {
    async count () {
      if (counted === undefined || now() - countedAt >= COUNT_EVERY_MS) {
        countedAt = now()
        counted = countAll()
      }
      try {
        return await counted
      } catch (error) {
        counted = undefined
        throw error
      }
    }
  }
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('liveSessions', createLiveSessions(fastify, { now: () => clock.now() }))
}, { name: 'live-sessions', fastify: '5.x', dependencies: ['clock', 'database'] })
