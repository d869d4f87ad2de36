import type { Kysely } from 'kysely'

export async function up (db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('throttles')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.references('users.id').onDelete('cascade'))
    .addColumn('network', 'text')
    .addColumn('failures', 'bigint', (column) => column.notNull())
    .addColumn('anchored_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('throttles_user').on('throttles').columns(['user_id', 'key']).execute()
  await db.schema.createIndex('throttles_expiry').on('throttles').column('expires_at').execute()

  await db.schema.createTable('known_networks')
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('network', 'text', (column) => column.notNull())
    .addColumn('last_login_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('known_networks_pk', ['user_id', 'network'])
    .execute()
  await db.schema.createIndex('known_networks_time').on('known_networks').column('last_login_at').execute()
}
