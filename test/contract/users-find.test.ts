import t from 'tap'
import { engines } from './engines.ts'
import { openRepositories, START } from './repositories.ts'

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    const spellings = ['ren\u00e9e', 'REN\u00c9E', 'rene\u0301e', 'Ｒｅｎ\u00e9ｅ', 'Renee.M@example.com', 'renee.m@EXAMPLE.COM', 'renee.m@ｅｘａｍｐｌｅ.com']
    const strangers = ['renee', 'ren\u00e9e ', 'example.com', 'renee@example.com', '', ' ', '@', 'a'.repeat(10_000), 'ren\u00e9e\0', "' or 1=1 --", '%']

    t.test('A user is found by the name and by the address, however they are spelled', async (t) => {
      const { users } = await openRepositories(t, engine)
      const user = await users.create({ username: 'ren\u00e9e', email: 'Renee.M@example.com', passwordHash: 'hash' }, {})
      await users.create({ username: 'other', email: 'other@example.com' }, {})

      for (const spelling of spellings) {
        t.strictSame(await users.find(spelling), user, spelling)
        t.strictSame(await users.findForLogin(spelling), { id: user.id, passwordHash: 'hash', passwordVersion: 0, emailVerifiedAt: null, disabledAt: null, isDemo: false, scopes: ['profile', 'account'] }, spelling)
      }
    })

    t.test('Nobody is found by anything else', async (t) => {
      const { users } = await openRepositories(t, engine)
      await users.create({ username: 'ren\u00e9e', email: 'renee.m@example.com' }, {})

      for (const stranger of strangers) {
        t.equal(await users.find(stranger), undefined, JSON.stringify(stranger.slice(0, 20)))
        t.equal(await users.findForLogin(stranger), undefined, JSON.stringify(stranger.slice(0, 20)))
      }
    })

    t.test('A user may do what each of the roles allows, each scope once', async (t) => {
      const { users, db, login } = await openRepositories(t, engine)
      await db.insertInto('roles').values({ name: 'support', scopes: 'profile users:read', description: '' }).execute()
      await users.create({ username: 'ada', roles: ['support'] }, {})
      await users.create({ username: 'ben', roles: ['admin', 'support'] }, {})

      t.strictSame((await login('ada')).scopes.toSorted(), ['account', 'profile', 'users:read'])
      t.strictSame((await login('ben')).scopes.toSorted(), ['account', 'audit:read', 'keys:read', 'keys:write', 'profile', 'roles:read', 'roles:write', 'users:read', 'users:write'])
      t.strictSame((await users.find('ben'))?.roles, ['user', 'admin', 'support'])
    })

    t.test('A change of a role counts at once', async (t) => {
      const { users, db, login } = await openRepositories(t, engine)
      await users.create({ username: 'ada', roles: ['admin'] }, {})

      await db.updateTable('roles').set({ scopes: 'audit:read' }).where('name', '=', 'admin').execute()
      const narrowed = (await login()).scopes
      await db.deleteFrom('roles').execute()
      const nothing = (await login()).scopes

      t.strictSame(narrowed.toSorted(), ['account', 'audit:read', 'profile'])
      t.strictSame(nothing, [])
      t.strictSame((await users.find('ada'))?.roles, ['user'])
    })

    t.test('Everybody is listed by username, however many there are', async (t) => {
      const { db, users } = await openRepositories(t, engine)
      const usernames = Array.from({ length: 2001 }, (_, index) => `user${String(index).padStart(4, '0')}`)
      const rows = usernames.map((username) => ({ id: username, username, email: null, email_key: null, email_verified_at: null, full_name: null, password_hash: null, password_version: 0, disabled_at: null, demo_at: null, created_at: 0, updated_at: 0, last_login_at: null }))
      for (let from = 0; from < rows.length; from += 500) await db.insertInto('users').values(rows.slice(from, from + 500)).execute()

      t.strictSame((await users.list()).map(({ username }) => username), usernames)
    })

    t.test('The list has every user once, in the order of the names', async (t) => {
      const { users, clock } = await openRepositories(t, engine)
      await users.create({ username: 'cleo', roles: ['admin'] }, {})
      clock.at++
      await users.create({ username: 'ada' }, {})
      await users.create({ username: 'ben' }, {})

      const list = await users.list()

      t.same(list.map(({ username, roles, createdAt }) => ({ username, roles, createdAt })), [
        { username: 'ada', roles: ['user'], createdAt: START + 1 },
        { username: 'ben', roles: ['user'], createdAt: START + 1 },
        { username: 'cleo', roles: ['user', 'admin'], createdAt: START }
      ])
      t.strictSame(list[0], await users.find('ada'))
    })

    t.test('A database is empty until it has a user', async (t) => {
      const { users } = await openRepositories(t, engine)

      t.equal(await users.isEmpty(), true)
      t.same(await users.list(), [])
      await users.create({ username: 'ada' }, {})
      t.equal(await users.isEmpty(), false)
    })
  })
}
