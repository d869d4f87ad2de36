import type { Test } from 'tap'
import type { Tables } from '../../lib/database/tables.ts'
import { createExpiry, type Sweep } from '../../plugins/data/expiry.ts'
import type { Engine } from './engines.ts'
import { HOUR, IDLE, LIFETIME, openRepositories, START } from './repositories.ts'

export const DAY = 24 * HOUR
export const RETENTION = 180 * DAY

export async function openExpiry (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  return { ...repositories, expiry: createExpiry(repositories.db, repositories.clock, { auditRetentionMs: RETENTION }) }
}

export type Scene = Awaited<ReturnType<typeof openExpiry>>

/** Runs the sweep to its end; gives how many rows were left after each batch. */
export async function sweep ({ db }: Scene, removeBatch: Sweep, table: keyof Tables): Promise<number[]> {
  const left: number[] = []
  let cursor: string | undefined = ''
  while (cursor !== undefined && left.length < 20) {
    cursor = await removeBatch(cursor)
    left.push((await db.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('rows')).executeTakeFirstOrThrow()).rows)
  }
  return left
}

export const event = (id: string, at: number) => ({
  id, type: 'login', outcome: 'success', at, actor_id: null, user_id: null, session_id: null, client_id: null, ip: null, user_agent: null, request_id: null, details: null
})

export async function insertSessions ({ db }: Scene, userId: string, ids: string[], changes: { revoked_at?: number | null, expires_at?: number, idle_expires_at?: number } = {}): Promise<void> {
  await db.insertInto('sessions').values(ids.map((id) => ({
    id,
    user_id: userId,
    client_id: 'first-party',
    scope: 'profile',
    generation: 0,
    created_at: START,
    last_used_at: START,
    rotated_at: null,
    idle_expires_at: START + IDLE,
    expires_at: START + LIFETIME,
    revoked_at: null,
    ip: null,
    user_agent: null,
    ...changes
  }))).execute()
}
