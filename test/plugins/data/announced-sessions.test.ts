import t, { type Test } from 'tap'
import type { LiveSession } from '../../../plugins/data/sessions.ts'
import { postgresAt } from '../../contract/engines.ts'
import { IDLE, openRepositories, START } from '../../contract/repositories.ts'
import { emptySchema, needsPostgres, query, until } from '../../postgres.ts'

const ADMINISTRATION = 'users:write'

/** Two processes on one database that have both looked at the session of an administrator. */
async function openPair (t: Test) {
  const url = await emptySchema(t)
  const one = await openRepositories(t, postgresAt(url))
  const two = await openRepositories(t, postgresAt(url))
  await one.users.create({ username: 'grace', roles: ['admin'] }, {}) // the last administrator could not be disabled
  const user = await one.ada({ roles: ['admin'] })
  const id = await one.open()
  const first = await one.sessions.findLive(id) as LiveSession
  const elsewhere = await two.sessions.findLive(id) as LiveSession
  return { ...one, url, two, user, id, first, elsewhere, find: async () => await one.sessions.findLive(id), findElsewhere: async () => await two.sessions.findLive(id) }
}

type Scene = Awaited<ReturnType<typeof openPair>>

interface Ending {
  name: string
  act: (scene: Scene) => Promise<unknown>
  isOver?: (session: LiveSession | undefined) => boolean
}

const isGone = (session: LiveSession | undefined): boolean => session === undefined
const isDemoted = (session: LiveSession | undefined): boolean => session?.allowed.includes(ADMINISTRATION) === false

const endings: Ending[] = [
  { name: 'A session that was revoked', act: async ({ sessions, id }) => await sessions.revoke(id, 'logout', {}) },
  { name: 'A session whose user was logged out everywhere', act: async ({ accounts, user }) => await accounts.logout(user.id, {}) },
  { name: 'A session whose user has a new password', act: async ({ setPassword, user }) => await setPassword(user.id, 'hash', {}) },
  { name: 'A session whose user was disabled', act: async ({ accounts, user }) => await accounts.update(user.id, { disabled: true }, {}) },
  { name: 'A session whose user was deleted', act: async ({ accounts, user }) => await accounts.remove(user.id, {}) },
  { name: 'A session that was deleted by a statement alone', act: async ({ db }) => await db.deleteFrom('sessions').execute() },
  { name: 'The rights of a session whose user has lost a role', act: async ({ accounts, user }) => await accounts.update(user.id, { roles: [] }, {}), isOver: isDemoted },
  {
    name: 'The rights of a session whose user has a role that allows less',
    act: async ({ db }) => await db.updateTable('roles').set({ scopes: '' }).where('name', '=', 'admin').execute(),
    isOver: isDemoted
  }
]

if (await needsPostgres(t)) {
  t.test('A session is read once in each process as long as nothing about it changes', async (t) => {
    const { first, elsewhere, find, findElsewhere, users, two } = await openPair(t)

    await users.create({ username: 'ben' }, {})
    await two.open()

    t.ok(first.allowed.includes(ADMINISTRATION))
    t.equal(await find(), first)
    t.equal(await findElsewhere(), elsewhere)
  })

  for (const { name, act, isOver = isGone } of endings) {
    t.test(`${name} is seen at once, and by another process within moments`, async (t) => {
      const scene = await openPair(t)

      await act(scene)

      t.ok(isOver(await scene.find()), 'at once')
      t.ok(await until(async () => isOver(await scene.findElsewhere())), 'elsewhere')
    })
  }

  t.test('A change by hand is seen within moments', async (t) => {
    const { url, find } = await openPair(t)

    await query(url, 'update sessions set revoked_at = 1')

    t.ok(await until(async () => isGone(await find())))
  })

  t.test('A change of another user makes nobody forget', async (t) => {
    const { first, find, accounts, users } = await openPair(t)
    const { id } = await users.create({ username: 'ben' }, {})

    await accounts.update(id, { fullName: 'Ben' }, {})

    t.equal(await find(), first)
  })

  t.test('A refresh in another process gives a remembered session more time', async (t) => {
    const { two, clock, id, find } = await openPair(t)
    clock.at = two.clock.at = START + IDLE - 1

    await two.sessions.rotate(id, 0, {})

    clock.at = START + IDLE
    t.equal((await find())?.id, id)
    clock.at = START + 2 * IDLE - 1
    t.equal(await find(), undefined)
  })
}
