import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** Ends the sessions of the user but one; resolves to how many there were. */
export async function endSessions (tx: Kysely<Tables>, userId: string, at: number, exceptSession = ''): Promise<number> {
  const { numUpdatedRows } = await tx.updateTable('sessions').set({ revoked_at: at })
    .where('user_id', '=', userId).where('revoked_at', 'is', null).where('id', '!=', exceptSession).executeTakeFirst()
  return Number(numUpdatedRows)
}
