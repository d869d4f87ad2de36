import type { Kysely } from 'kysely'

/** A user has one token of each kind, also when two are made at the same time. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('one_time_tokens_user').execute()
  await db.schema.createIndex('one_time_tokens_user').unique().on('one_time_tokens').columns(['user_id', 'purpose']).execute()
}
