import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Client } from 'pg'
import t, { type Test } from 'tap'
import { CHANNEL } from '../../lib/database/postgres-listener.ts'
import { postgresAt } from '../contract/engines.ts'
import { openRepositories } from '../contract/repositories.ts'
import { emptySchema, needsPostgres, withClient } from '../postgres.ts'
import { ADA, concerning, unconcerning } from './changes.ts'

/** Makes `ada` and `ben` with a session each, and tells whose changes a client that listens is told of while others write. */
async function openScene (t: Test, work: (listening: Client, announced: () => Promise<string[]>) => Promise<void>): Promise<void> {
  const url = await emptySchema(t)
  const { users, sessions } = await openRepositories(t, postgresAt(url))
  const names = new Map<string | null, string>([[null, 'everybody']])
  for (const username of ['ada', 'ben']) {
    const { id: userId } = await users.create({ username, roles: ['admin'] }, {})
    await sessions.open({ userId, passwordVersion: 0, clientId: 'first-party', scope: '' }, {})
    names.set(userId, username)
  }
  await withClient(url, async (client) => {
    const { rows: [server] } = await client.query<{ schema: string }>('select current_schema() as schema')
    const heard: string[] = []
    client.on('notification', ({ payload = '' }) => {
      const change = JSON.parse(payload) as { schema: string, user: string | null }
      if (change.schema === server?.schema) heard.push(names.get(change.user) ?? 'somebody')
    })
    await client.query(`listen ${CHANNEL}`)
    await work(client, async () => {
      await nextTurn()
      return heard.splice(0).toSorted()
    })
  })
}

const truncations = ['truncate sessions', 'truncate users cascade'].map((sql) => ({ sql, users: ['everybody'] }))

if (await needsPostgres(t)) {
  for (const { sql, users } of [...concerning, ...truncations]) {
    t.test(`${sql} is announced for ${users.join(' and ')}`, async (t) => {
      await openScene(t, async (client, announced) => {
        await client.query(sql)

        t.strictSame([...new Set(await announced())], users)
      })
    })
  }

  t.test('What a log-in and a refresh write, and what changes nothing, is not announced', async (t) => {
    await openScene(t, async (client, announced) => {
      for (const sql of [...unconcerning, 'update sessions set revoked_at = revoked_at']) await client.query(sql)

      t.strictSame(await announced(), [])
    })
  })

  t.test('What is undone is not announced', async (t) => {
    await openScene(t, async (client, announced) => {
      await client.query('begin; delete from sessions; rollback')

      t.strictSame(await announced(), [])
    })
  })

  t.test('A user has one mailed token of each kind', async (t) => {
    await openScene(t, async (client) => {
      const insert = async (): Promise<unknown> => await client.query(`insert into one_time_tokens (hash, purpose, user_id, password_version, created_at, expires_at) values ($1, 'reset', ${ADA}, 0, 0, 0)`, [randomUUID()])
      await insert()

      await t.rejects(insert(), { code: '23505' })
    })
  })
}
