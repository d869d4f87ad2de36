import t, { type Test } from 'tap'
import type { UserChanges } from '../../plugins/data/accounts.ts'
import { engines, type Engine } from './engines.ts'
import { openRepositories, START } from './repositories.ts'

const EMAIL = 'Ada@example.com'
const NOTICE = { kind: 'email_changed', email: EMAIL, username: 'ada' }

async function openWithLinks (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  await repositories.db.insertInto('roles').values([
    { name: 'helper', scopes: 'users:read', description: '' },
    { name: 'reader', scopes: 'users:read account', description: '' },
    { name: 'support', scopes: 'users:read audit:read', description: '' }
  ]).execute()
  const { id } = await repositories.ada({ email: EMAIL, emailVerified: true, roles: ['helper'] })
  await repositories.users.create({ username: 'ben' }, {})
  for (const purpose of ['password_reset', 'invitation', 'email_verification', 'email_change'] as const) {
    await repositories.mailedToken(purpose, EMAIL)
    await repositories.mailedToken(purpose, EMAIL, 'ben')
  }
  return {
    ...repositories,
    id,
    /** How many links of ada's and of others are good. */
    async links () {
      const rows = await repositories.db.selectFrom('one_time_tokens').select('user_id').execute()
      const own = rows.filter(({ user_id: userId }) => userId === id).length
      return { own, others: rows.length - own }
    }
  }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    const changes: Array<{ name: string, change: UserChanges, own: number }> = [
      { name: 'Another address', change: { email: 'ada@example.org' }, own: 0 },
      { name: 'No address', change: { email: null }, own: 0 },
      { name: 'Disabling', change: { disabled: true }, own: 0 },
      { name: 'A role that allows more', change: { roles: ['helper', 'support'] }, own: 0 },
      { name: 'Another role that allows more', change: { roles: ['admin'] }, own: 0 },
      { name: 'A role that allows the same', change: { roles: ['reader'] }, own: 4 },
      { name: 'The same role', change: { roles: ['helper', 'user'] }, own: 4 },
      { name: 'No role', change: { roles: [] }, own: 4 },
      { name: 'The same address', change: { email: EMAIL }, own: 4 },
      { name: 'The same address with a domain in capitals', change: { email: 'Ada@EXAMPLE.com' }, own: 4 },
      { name: 'A full name', change: { fullName: 'Ada Lovelace' }, own: 4 },
      { name: 'Enabling', change: { disabled: false }, own: 4 }
    ]
    for (const { name, change, own } of changes) {
      t.test(`${name} leaves ${own} of four mailed links good, and those of others`, async (t) => {
        const { accounts, links, id } = await openWithLinks(t, engine)

        await accounts.update(id, change, {})

        t.strictSame(await links(), { own, others: 4 })
      })
    }

    for (const email of ['ada@example.org', null]) {
      t.test(`The address that is replaced by ${email} is told, and the new one is not proven`, async (t) => {
        const { accounts, users, mails, id } = await openWithLinks(t, engine)

        await accounts.update(id, { email, fullName: 'Ada' }, {})

        t.strictSame(await mails(), [NOTICE])
        t.match(await users.find('ada'), { email, emailVerifiedAt: null })
      })
    }

    t.test('A first address replaces none that could be told', async (t) => {
      const { accounts, users, mails } = await openWithLinks(t, engine)
      const ben = await users.find('ben')

      await accounts.update(ben?.id ?? '', { email: 'ben@example.com' }, {})

      t.match(await users.find('ben'), { email: 'ben@example.com', emailVerifiedAt: null })
      t.strictSame(await mails(), [])
    })

    t.test('The same address stays proven, and is not said to have changed', async (t) => {
      const { accounts, users, mails, events, clock, id } = await openWithLinks(t, engine)
      clock.at += 5

      const alone = await accounts.update(id, { email: EMAIL }, {})
      await accounts.update(id, { email: EMAIL, fullName: 'Ada' }, {})

      t.equal(alone, false)
      t.match(await users.find('ada'), { email: EMAIL, emailVerifiedAt: START })
      t.strictSame(await mails(), [])
      t.match(await events('user_created', 'login'), [{ type: 'user_updated', details: '{"members":"full_name"}' }])
    })
  })
}
