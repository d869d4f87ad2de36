import type { Kysely } from 'kysely'
import { parameter } from './prepared.ts'
import type { Tables } from './tables.ts'

/** Live ones of a user. All of them end by one statement, which takes too long if there is no limit. */
const MOST_SESSIONS = 1000
const MOST_ENDED_AT_ONCE = 100

/** Makes room for another session of the user: the oldest end. Parameters: `user_id`, and the time, `at`. */
export function endOldest (db: Kysely<Tables>) {
  return db.updateTable('sessions').set({ revoked_at: parameter('at') })
    .where('revoked_at', 'is', null)
    .where('id', 'in', (query) => query.selectFrom('sessions').select('id')
      .where('user_id', '=', parameter('user_id')).where('revoked_at', 'is', null)
      .orderBy('created_at', 'desc').limit(MOST_ENDED_AT_ONCE).offset(MOST_SESSIONS - 1))
}

/** Ends the sessions of the user but one; resolves to how many there were. */
export async function endSessions (tx: Kysely<Tables>, userId: string, at: number, exceptSession = ''): Promise<number> {
  const { numUpdatedRows } = await tx.updateTable('sessions').set({ revoked_at: at })
    .where('user_id', '=', userId).where('revoked_at', 'is', null).where('id', '!=', exceptSession).executeTakeFirst()
  return Number(numUpdatedRows)
}
