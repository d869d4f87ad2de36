import t, { type Test } from 'tap'
import { ALL_SCOPES } from '../../lib/scopes.ts'
import { createRoles } from '../../plugins/data/roles.ts'
import { engines, type Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories } from './repositories.ts'

const SUPPORT = { name: 'support', scopes: ['users:read', 'audit:read'], description: 'Helps' }
const BUILT_IN = [
  { name: 'admin', scopes: [...ALL_SCOPES], description: 'May do everything' },
  { name: 'user', scopes: ['profile', 'account'], description: 'What everybody may do' }
]

async function openRoles (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const roles = createRoles(repositories.db, repositories.audit)
  return {
    ...repositories,
    roles,
    scopesOf: async (name: string) => (await roles.list()).find((role) => role.name === name)?.scopes
  }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('At the start there are the built-in roles', async (t) => {
      const { roles } = await openRoles(t, engine)

      t.strictSame(await roles.list(), BUILT_IN)
    })

    t.test('A role is made, changed as a whole and deleted, and each is audited', async (t) => {
      const { roles, users, ada, events } = await openRoles(t, engine)

      const made = await roles.set(SUPPORT, CONTEXT)
      const { id } = await ada({ roles: ['support'] })
      await users.create({ username: 'ben', roles: ['support'] }, {})
      t.strictSame(await roles.list(), [BUILT_IN[0], SUPPORT, BUILT_IN[1]])
      const changed = await roles.set({ name: 'support', scopes: ['users:read', 'users:read'], description: '' }, CONTEXT)
      t.strictSame(await roles.list(), [BUILT_IN[0], { name: 'support', scopes: ['users:read'], description: '' }, BUILT_IN[1]])
      t.strictSame((await users.find('ada'))?.roles, ['user', 'support'])
      const removed = [await roles.remove('support', CONTEXT), await roles.remove('support', CONTEXT)]

      t.strictSame([made, changed], [{ role: SUPPORT, isNew: true }, { role: { name: 'support', scopes: ['users:read'], description: '' }, isNew: false }])
      t.strictSame(removed, [true, false])
      t.strictSame(await roles.list(), BUILT_IN)
      t.match(await users.find('ada'), { id, roles: ['user'] })
      t.strictSame((await users.find('ben'))?.roles, ['user'])
      t.same(await events('user_created'), [
        event('role_set', { ...FROM_REQUEST, details: '{"role":"support","before":"","after":"users:read audit:read"}' }),
        event('role_set', { ...FROM_REQUEST, details: '{"role":"support","before":"users:read audit:read","after":"users:read"}' }),
        event('role_deleted', { ...FROM_REQUEST, details: '{"role":"support","before":"users:read","users":2}' })
      ])
    })

    t.test('A role may allow nothing', async (t) => {
      const { roles, ada, open, sessions } = await openRoles(t, engine)
      await roles.set({ name: 'marked', scopes: [], description: '' }, {})
      await ada({ roles: ['marked'] })

      t.strictSame((await sessions.findLive(await open()))?.allowed, ['profile', 'account'])
    })

    t.test('The built-in roles stay as they are', async (t) => {
      const { roles, events } = await openRoles(t, engine)

      for (const name of ['user', 'admin']) {
        await t.rejects(roles.set({ name, scopes: [...ALL_SCOPES, 'more'], description: '' }, {}), { statusCode: 409, code: 'built_in_role' })
        await t.rejects(roles.remove(name, {}), { statusCode: 409, code: 'built_in_role' })
      }

      t.strictSame(await roles.list(), BUILT_IN)
      t.strictSame(await events(), [])
    })

    t.test('What can not be a role is refused', async (t) => {
      const { roles } = await openRoles(t, engine)

      await t.rejects(roles.set({ ...SUPPORT, name: 'Support' }, {}), { statusCode: 400, code: 'validation_failed' })

      t.strictSame(await roles.list(), BUILT_IN)
    })

    t.test('The role admin has every scope that any role has, and no others', async (t) => {
      const { roles, scopesOf } = await openRoles(t, engine)

      await roles.set({ name: 'clerk', scopes: ['orders:read', 'orders:write'], description: '' }, {})
      t.strictSame(await scopesOf('admin'), [...ALL_SCOPES, 'orders:read', 'orders:write'])
      await roles.set({ name: 'reader', scopes: ['orders:read', 'profile'], description: '' }, {})
      await roles.set({ name: 'clerk', scopes: ['orders:write'], description: '' }, {})
      t.strictSame(await scopesOf('admin'), [...ALL_SCOPES, 'orders:write', 'orders:read'])
      await roles.remove('clerk', {})
      t.strictSame(await scopesOf('admin'), [...ALL_SCOPES, 'orders:read'])
      await roles.set({ name: 'reader', scopes: ['profile'], description: '' }, {})

      t.strictSame(await scopesOf('admin'), ALL_SCOPES)
    })

    t.test('A guard sees the scopes of before and after, and prevents all of it', async (t) => {
      const { roles, events } = await openRoles(t, engine)
      await roles.set(SUPPORT, {})
      const before = await roles.list()
      const seen: Array<readonly string[]> = []
      const guard = async (_tx: unknown, scopes: readonly string[]): Promise<never> => {
        seen.push(scopes)
        throw new Error('no')
      }

      await t.rejects(roles.set({ name: 'support', scopes: ['orders:read'], description: '' }, {}, guard), { message: 'no' })
      await t.rejects(roles.set({ name: 'clerk', scopes: ['keys:read'], description: '' }, {}, guard), { message: 'no' })
      await t.rejects(roles.remove('support', {}, guard), { message: 'no' })
      t.equal(await roles.remove('clerk', {}, guard), false)

      t.strictSame(seen, [['users:read', 'audit:read', 'orders:read'], ['keys:read'], ['users:read', 'audit:read']])
      t.strictSame(await roles.list(), before)
      t.equal((await events()).length, 1)
    })

    t.test('There are a thousand roles at most', async (t) => {
      const { db, roles } = await openRoles(t, engine)
      const many = Array.from({ length: 997 }, (_, index) => ({ name: `role${index}`, scopes: '', description: '' }))
      await db.insertInto('roles').values(many).execute()
      await roles.set(SUPPORT, {})
      const before = await roles.list()

      await t.rejects(roles.set({ name: 'another', scopes: [], description: '' }, {}), { statusCode: 409, code: 'too_many_roles', message: 'There may be at most 1000 roles' })

      t.equal(before.length, 1000)
      t.strictSame(await roles.list(), before)
      t.equal((await roles.set({ ...SUPPORT, description: 'Helps more' }, {})).isNew, false)
    })

    t.test('A role that allows more makes the links void that were mailed to those who have it', async (t) => {
      const { roles, users, ada, mailedToken, oneTimeTokens, db } = await openRoles(t, engine)
      await roles.set(SUPPORT, {})
      await ada({ roles: ['support'] })
      await users.create({ username: 'ben' }, {})
      const link = await mailedToken('password_reset', null)
      const others = await mailedToken('password_reset', null, 'ben')

      await roles.set({ ...SUPPORT, scopes: ['users:read'] }, {})
      t.ok(await oneTimeTokens.find(db, 'password_reset', link))
      await roles.set(SUPPORT, {})

      t.equal(await oneTimeTokens.find(db, 'password_reset', link), undefined)
      t.ok(await oneTimeTokens.find(db, 'password_reset', others))
    })

    t.test('All scopes together have room in one access token', async (t) => {
      const { roles } = await openRoles(t, engine)
      const scopes = (role: string) => Array.from({ length: 50 }, (_, index) => `${role}:${index}`.padEnd(64, '-'))
      await roles.set({ name: 'one', scopes: scopes('one'), description: '' }, {})
      const before = await roles.list()

      await t.rejects(roles.set({ name: 'two', scopes: scopes('two'), description: '' }, {}), { statusCode: 409, code: 'too_many_scopes' })
      t.strictSame(await roles.list(), before)
      await roles.set({ name: 'two', scopes: scopes('one'), description: '' }, {})
      await roles.set({ name: 'two', scopes: scopes('two').slice(0, 10), description: '' }, {})

      t.strictSame(before.map(({ name }) => name), ['admin', 'one', 'user'])
    })

    t.test('The last administrator keeps the powers when roles change', async (t) => {
      const { roles, users, accounts, ada } = await openRoles(t, engine)
      const power = { name: 'power', scopes: ['users:write', 'roles:write'], description: '' }
      await roles.set(power, {})
      const { id } = await ada({ roles: ['power'] })

      await t.rejects(roles.set({ ...power, scopes: ['users:write'] }, {}), { statusCode: 409, code: 'last_administrator' })
      await t.rejects(roles.set({ ...power, scopes: ['roles:write'] }, {}), { statusCode: 409, code: 'last_administrator' })
      await t.rejects(roles.remove('power', {}), { statusCode: 409, code: 'last_administrator' })
      t.strictSame((await roles.list()).find(({ name }) => name === 'power'), power)
      t.strictSame((await users.find('ada'))?.roles, ['user', 'power'])

      await accounts.update(id, { roles: ['admin', 'power'] }, {})
      t.equal(await roles.remove('power', {}), true)
    })

    t.test('What a role allows no longer ends in the sessions that are open, and comes back', async (t) => {
      const { roles, ada, open, sessions } = await openRoles(t, engine)
      await roles.set(SUPPORT, {})
      await ada({ roles: ['support'] })
      const session = await open({ scope: 'profile account users:read audit:read' })
      const allowed = async () => (await sessions.findLive(session))?.allowed
      t.strictSame(await allowed(), ['profile', 'account', 'users:read', 'audit:read'])

      await roles.set({ ...SUPPORT, scopes: ['audit:read'] }, {})
      t.strictSame(await allowed(), ['profile', 'account', 'audit:read'])
      await roles.set(SUPPORT, {})
      t.strictSame(await allowed(), ['profile', 'account', 'users:read', 'audit:read'])
      await roles.remove('support', {})
      t.strictSame(await allowed(), ['profile', 'account'])
    })
  })
}
