import type { Kysely } from 'kysely'

export async function up (db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('one_time_tokens')
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('email', 'text')
    .addColumn('password_version', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('one_time_tokens_user').on('one_time_tokens').columns(['user_id', 'purpose']).execute()
  await db.schema.createIndex('one_time_tokens_expiry').on('one_time_tokens').column('expires_at').execute()

  await db.schema.createTable('outbox')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addColumn('attempts', 'bigint', (column) => column.notNull())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('outbox_due').on('outbox').column('due_at').execute()

  await db.schema.createIndex('audit_events_time').on('audit_events').columns(['at', 'id']).execute()
  await db.schema.createIndex('audit_events_user').on('audit_events').columns(['user_id', 'at', 'id']).execute()
  await db.schema.createIndex('audit_events_type').on('audit_events').columns(['type', 'at', 'id']).execute()
  await db.schema.createIndex('user_roles_role').on('user_roles').column('role').execute()
}
