import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { sqlite } from '../contract/engines.ts'
import { openRepositories } from '../contract/repositories.ts'
import { concerning, unconcerning } from './changes.ts'

const UNANNOUNCED = ['sessions.generation', 'sessions.idle_expires_at', 'sessions.last_used_at', 'sessions.rotated_at', 'users.last_login_at', 'users.password_hash']

/** Makes `ada` and `ben` with a session each, and tells whose changes a statement makes written down. */
async function openScene (t: Test) {
  const { db, users, sessions } = await openRepositories(t, sqlite)
  const names = new Map<string | null, string>([[null, 'everybody']])
  for (const username of ['ada', 'ben']) {
    const { id: userId } = await users.create({ username, roles: ['admin'] }, {})
    await sessions.open({ userId, passwordVersion: 0, clientId: 'first-party', scope: '' }, {})
    names.set(userId, username)
  }

  async function announcedBy (statement: string): Promise<string[]> {
    await sql`delete from announced_changes`.execute(db)
    await sql.raw(statement).execute(db)
    const { rows } = await sql<{ user_id: string | null }>`select user_id from announced_changes`.execute(db)
    return [...new Set(rows.map((row) => names.get(row.user_id) ?? 'somebody'))].toSorted()
  }

  return { db, announcedBy }
}

for (const { sql, users } of concerning) {
  t.test(`${sql} is written down for ${users.join(' and ')}`, async (t) => {
    const { announcedBy } = await openScene(t)

    t.strictSame(await announcedBy(sql), users)
  })
}

t.test('What a log-in and a refresh write is not written down', async (t) => {
  const { announcedBy } = await openScene(t)

  for (const statement of unconcerning) t.strictSame(await announcedBy(statement), [], statement)
})

t.test('Every column counts but those', async (t) => {
  const { db, announcedBy } = await openScene(t)
  const unannounced: string[] = []

  for (const table of ['sessions', 'users', 'user_roles', 'roles']) {
    const { rows: columns } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(db)
    for (const { name } of columns) {
      const announced = await announcedBy(`update ${table} set ${name} = ${name}`)
      if (announced.length === 0) unannounced.push(`${table}.${name}`)
    }
  }

  t.strictSame(unannounced.toSorted(), UNANNOUNCED)
})

t.test('The newest thousand are kept', async (t) => {
  const { db } = await openScene(t)
  await sql`delete from announced_changes`.execute(db)

  await sql.raw(`
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 1100)
    insert into roles (name, scopes, description) select 'role ' || n, '', '' from numbers`).execute(db)

  const { rows } = await sql`select min(id) as oldest, max(id) as newest from announced_changes`.execute(db)
  t.strictSame(rows, [{ oldest: 101, newest: 1100 }])
})
