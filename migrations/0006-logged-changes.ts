import { SqliteAdapter, sql, type Kysely } from 'kysely'

const KEPT = 1000

/**
 * SQLite writes down what PostgreSQL announces: every change of these tables that concerns live sessions, whoever makes it,
 * but for what a log-in and a refresh write.
 */
export async function up (db: Kysely<unknown>): Promise<void> {
  if (!(db.getExecutor().adapter instanceof SqliteAdapter)) return

  await sql`create table announced_changes (id integer primary key, user_id text)`.execute(db)

  await announce(db, 'update', 'sessions', 'old.user_id', ['generation', 'rotated_at', 'last_used_at', 'idle_expires_at'])
  await announce(db, 'delete', 'sessions', 'old.user_id')
  await announce(db, 'update', 'users', 'old.id', ['password_hash', 'last_login_at'])
  await announce(db, 'delete', 'users', 'old.id')
  await announce(db, 'insert', 'user_roles', 'new.user_id')
  await announce(db, 'update', 'user_roles', 'old.user_id')
  await announce(db, 'delete', 'user_roles', 'old.user_id')
  await announce(db, 'insert', 'roles')
  await announce(db, 'update', 'roles')
  await announce(db, 'delete', 'roles')
}

async function announce (db: Kysely<unknown>, act: string, table: string, user = 'null', unannounced: string[] = []): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(db)
  const announced = rows.map(({ name }) => name).filter((name) => !unannounced.includes(name))
  const event = act === 'update' ? `update of ${announced.join(', ')}` : act
  await sql`
    create trigger ${sql.id(`announce_${act}_of_${table}`)} after ${sql.raw(event)} on ${sql.table(table)} for each row begin
      insert into announced_changes (user_id) values (${sql.raw(user)});
      delete from announced_changes where id <= last_insert_rowid() - ${sql.lit(KEPT)};
    end`.execute(db)
}
