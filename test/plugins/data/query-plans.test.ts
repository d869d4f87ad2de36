import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { createDatabaseThrottles } from '../../../lib/database/throttle-store.ts'
import { createAuditLog, type AuditFilter } from '../../../plugins/data/audit-log.ts'
import { createUserSessions } from '../../../plugins/data/user-sessions.ts'
import { createUserDirectory, type DirectoryPosition } from '../../../plugins/data/user-directory.ts'
import { openWatched } from '../../lib/database/watched.ts'

/** How SQLite goes about what a repository asks it. */
async function plansOf (t: Test, read: (database: Awaited<ReturnType<typeof openWatched>>) => Promise<unknown>): Promise<string[]> {
  const database = await openWatched(t)
  await read(database)
  const connection = new DatabaseSync(database.path, { readOnly: true })
  try {
    return database.ran.filter((sql) => sql.startsWith('select')).flatMap((sql) => {
      const parameters = Array.from({ length: sql.split('?').length - 1 }, () => null)
      return connection.prepare(`explain query plan ${sql}`).all(...parameters).map(({ detail }) => String(detail))
    })
  } finally {
    connection.close()
  }
}

const OF_USERNAMES = 'SEARCH users USING INDEX sqlite_autoindex_users_2 (username>? AND username<?)'
const OF_ADDRESSES = 'SEARCH users USING INDEX sqlite_autoindex_users_3 (email_key>? AND email_key<?)'
const OF_ADDRESSES_ALONE = 'SEARCH users USING COVERING INDEX sqlite_autoindex_users_3 (email_key>? AND email_key<?)'
const OF_ROLES = ['CORRELATED SCALAR SUBQUERY 1', 'SEARCH user_roles USING COVERING INDEX sqlite_autoindex_user_roles_1 (user_id=?)']

const pages: Array<{ name: string, search: string, start?: DirectoryPosition, plans: string[] }> = [
  { name: 'the first page of all', search: '', plans: [OF_USERNAMES, ...OF_ROLES] },
  { name: 'a later page of all', search: '', start: { foundBy: 'username', key: 'm' }, plans: [OF_USERNAMES, ...OF_ROLES] },
  { name: 'the first page of a search', search: 'a', plans: [OF_USERNAMES, ...OF_ROLES, OF_ADDRESSES_ALONE, OF_ADDRESSES, ...OF_ROLES] },
  { name: 'a later page of a search', search: 'a', start: { foundBy: 'email', key: 'am' }, plans: [OF_ADDRESSES_ALONE, OF_ADDRESSES, ...OF_ROLES] }
]
for (const { name, search, start, plans } of pages) {
  t.test(`${name} of users scans no table and sorts nothing`, async (t) => {
    const found = await plansOf(t, async ({ db }) => await createUserDirectory(db).list({ search, limit: 50, ...start && { start } }))

    t.strictSame(found, plans)
  })
}

const AFTER = { at: 1, id: 'id' }
const events: Array<{ filter: AuditFilter, index: string }> = [
  { filter: {}, index: 'audit_events_time' },
  { filter: { from: 1, to: 2 }, index: 'audit_events_time' },
  { filter: { type: 'login', from: 1, to: 2 }, index: 'audit_events_type (type=? AND ' },
  { filter: { userId: 'ada', from: 1, to: 2 }, index: 'audit_events_user (user_id=? AND ' },
  { filter: { userId: 'ada', type: 'login', from: 1, to: 2 }, index: 'audit_events_user (user_id=? AND ' }
]
for (const { filter, index } of events) {
  t.test(`events of ${JSON.stringify(filter)} are found by ${index} without sorting`, async (t) => {
    const [first] = await plansOf(t, async ({ db }) => await createAuditLog(db).list(filter, { limit: 50 }))
    const [later, ...others] = await plansOf(t, async ({ db }) => await createAuditLog(db).list(filter, { limit: 50, after: AFTER }))

    t.ok(first?.includes(`audit_events USING INDEX ${index}`))
    t.ok(later?.startsWith(`SEARCH audit_events USING INDEX ${index}`))
    t.match(later, /\(at,id\)</)
    t.strictSame(others, [])
  })
}

const throttles: Array<{ name: string, filter: { userId?: string }, page: { limit: number, after?: string }, plan: string }> = [
  { name: 'the first page of counts', filter: {}, page: { limit: 50 }, plan: 'SCAN throttles USING INDEX sqlite_autoindex_throttles_1' },
  { name: 'a later page of counts', filter: {}, page: { limit: 50, after: 'key' }, plan: 'SEARCH throttles USING INDEX sqlite_autoindex_throttles_1 (key>?)' },
  { name: 'the counts about a user', filter: { userId: 'ada' }, page: { limit: 50 }, plan: 'SEARCH throttles USING INDEX throttles_user (user_id=?)' },
  { name: 'a later page of them', filter: { userId: 'ada' }, page: { limit: 50, after: 'key' }, plan: 'SEARCH throttles USING INDEX throttles_user (user_id=? AND key>?)' }
]
for (const { name, filter, page, plan } of throttles) {
  t.test(`${name} are read in the order of an index`, async (t) => {
    const found = await plansOf(t, async ({ db }) => await createDatabaseThrottles({ db, prepareRead: () => () => undefined }, { now: () => 0 }).list(filter, page))

    t.strictSame(found, [plan])
  })
}

t.test('the live sessions of a user are found without those that ended', async (t) => {
  const found = await plansOf(t, async ({ db }) => await createUserSessions(db, { record: async () => {} } as never, { now: () => 0 }).list('ada', { limit: 50 }))
  t.strictSame(found, ['SEARCH sessions USING INDEX sessions_live (user_id=?)', 'USE TEMP B-TREE FOR LAST TERM OF ORDER BY'])
})
