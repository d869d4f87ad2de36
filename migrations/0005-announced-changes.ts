import { PostgresAdapter, sql, type Kysely } from 'kysely'

/**
 * PostgreSQL announces what concerns live sessions: every change of these tables, whoever makes it, but for what a log-in
 * and a refresh write. SQLite logs it.
 */
export async function up (db: Kysely<unknown>): Promise<void> {
  if (!(db.getExecutor().adapter instanceof PostgresAdapter)) return

  await sql`
    create function announce_change () returns trigger language plpgsql as $$
    declare
      user_column constant text := tg_argv[0];
      unannounced constant text[] := string_to_array(tg_argv[1], ' ');
      before constant jsonb := case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) end;
      after constant jsonb := case when tg_op in ('UPDATE', 'INSERT') then to_jsonb(new) end;
    begin
      if before - unannounced is distinct from after - unannounced or tg_op = 'TRUNCATE' then
        perform pg_notify('latchkey_changes', json_build_object('schema', tg_table_schema, 'user', coalesce(before, after) ->> user_column)::text);
      end if;
      return null;
    end $$`.execute(db)

  await announce(db, 'sessions', 'update or delete', 'user_id', 'generation rotated_at last_used_at idle_expires_at')
  await announce(db, 'users', 'update or delete', 'id', 'password_hash last_login_at')
  await announce(db, 'user_roles', 'insert or update or delete', 'user_id')
  await announce(db, 'roles', 'insert or update or delete')
}

async function announce (db: Kysely<unknown>, table: string, acts: string, userColumn = '', unannounced = ''): Promise<void> {
  const call = sql`execute function announce_change (${sql.lit(userColumn)}, ${sql.lit(unannounced)})`
  await sql`create trigger announce_change after ${sql.raw(acts)} on ${sql.table(table)} for each row ${call}`.execute(db)
  await sql`create trigger announce_truncation after truncate on ${sql.table(table)} for each statement ${call}`.execute(db)
}
