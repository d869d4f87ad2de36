import { sql, type Kysely } from 'kysely'

/** The live sessions of a user are found without those that ended, of which somebody may leave behind many. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('sessions_live').on('sessions').columns(['user_id', 'created_at']).where(sql.ref('revoked_at'), 'is', null).execute()
}
