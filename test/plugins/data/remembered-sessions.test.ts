import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { LiveSession } from '../../../plugins/data/sessions.ts'
import { engines, type Engine } from '../../contract/engines.ts'
import { HOUR, IDLE, LIFETIME, openRepositories, START } from '../../contract/repositories.ts'

const ADMINISTRATION = 'users:write'

/** The repositories, with a session of an administrator that was looked at before. */
async function openRemembered (t: Test, { prepare = '' } = {}) {
  const repositories = await openRepositories(t, engines[0] as Engine)
  const { db, users, sessions, ada, open } = repositories
  await users.create({ username: 'grace', roles: ['admin'] }, {}) // the last administrator could not be disabled
  const user = await ada({ roles: ['admin'] })
  const id = await open()
  if (prepare !== '') await sql.raw(prepare).execute(db)
  const { rows: [database] } = await sql<{ file: string }>`select file from pragma_database_list`.execute(db)
  const first = await sessions.findLive(id) as LiveSession
  return { ...repositories, user, id, first, find: async () => await sessions.findLive(id), file: database?.file ?? '' }
}

type Scene = Awaited<ReturnType<typeof openRemembered>>

interface Ending {
  name: string
  /** What this process does, */
  act: (scene: Scene) => Promise<unknown>
  /** and another. */
  sql: string
  isOver: (session: LiveSession | undefined) => boolean
}

const isGone = (session: LiveSession | undefined): boolean => session === undefined

const endings: Ending[] = [
  {
    name: 'A session that was revoked',
    act: async ({ sessions, id }) => await sessions.revoke(id, 'logout', {}),
    sql: 'update sessions set revoked_at = 1',
    isOver: isGone
  },
  {
    name: 'A session whose user was logged out everywhere',
    act: async ({ accounts, user }) => await accounts.logout(user.id, {}),
    sql: "update sessions set revoked_at = 1 where user_id = (select id from users where username = 'ada')",
    isOver: isGone
  },
  {
    name: 'A session whose user was disabled',
    act: async ({ accounts, user }) => await accounts.update(user.id, { disabled: true }, {}),
    sql: "update users set disabled_at = 1 where username = 'ada'",
    isOver: isGone
  },
  {
    name: 'A session whose user was deleted',
    act: async ({ accounts, user }) => await accounts.remove(user.id, {}),
    sql: "delete from users where username = 'ada'",
    isOver: isGone
  },
  {
    name: 'The rights of a session whose user has lost a role',
    act: async ({ accounts, user }) => await accounts.update(user.id, { roles: [] }, {}),
    sql: 'delete from user_roles',
    isOver: (session) => session?.user.roles.length === 1 && !session.allowed.includes(ADMINISTRATION)
  },
  {
    name: 'The rights of a session whose user has a role that allows less',
    act: async ({ db }) => await db.updateTable('roles').set({ scopes: '' }).where('name', '=', 'admin').execute(),
    sql: "update roles set scopes = '' where name = 'admin'",
    isOver: (session) => session?.user.roles.length === 2 && !session.allowed.includes(ADMINISTRATION)
  }
]

t.test('A session is read once as long as nobody writes', async (t) => {
  const { first, find } = await openRemembered(t)

  await nextTurn()

  t.ok(first.allowed.includes(ADMINISTRATION))
  t.equal(await find(), first)
})

for (const { name, act, sql, isOver } of endings) {
  t.test(`${name} is seen at once, although it was remembered`, async (t) => {
    const scene = await openRemembered(t)

    await act(scene)

    t.ok(isOver(await scene.find()))
  })

  t.test(`${name} by another process is seen in the next turn of the event loop`, async (t) => {
    const { find, file } = await openRemembered(t)
    const other = new DatabaseSync(file)
    t.teardown(() => { other.close() })

    other.exec(sql)
    await nextTurn()

    t.ok(isOver(await find()))
  })
}

t.test('A remembered session ends by the clock alone', async (t) => {
  t.test('when nobody used it for so long', async (t) => {
    const { clock, first, find } = await openRemembered(t)

    clock.at = START + IDLE - 1
    t.equal(await find(), first)
    clock.at = START + IDLE
    t.equal(await find(), undefined)
  })

  t.test('when it is as old as a session can be', async (t) => {
    const { clock, first, find } = await openRemembered(t, { prepare: `update sessions set idle_expires_at = ${START + LIFETIME + HOUR}` })

    clock.at = START + LIFETIME - 1
    t.equal(await find(), first)
    clock.at = START + LIFETIME
    t.equal(await find(), undefined)
  })
})

t.test('A refresh gives a remembered session more time', async (t) => {
  const { sessions, clock, id, find } = await openRemembered(t)
  clock.at = START + IDLE - 1

  await sessions.rotate(id, 0, {})

  clock.at = START + IDLE
  t.equal((await find())?.id, id)
  clock.at = START + 2 * IDLE - 2
  t.equal((await find())?.id, id)
  clock.at = START + 2 * IDLE - 1
  t.equal(await find(), undefined)
})
