import t, { type Test } from 'tap'
import { parseEmail } from '../../lib/identifiers.ts'
import type { NewUser } from '../../plugins/data/users.ts'
import { createOwnAccount } from '../../plugins/data/own-account.ts'
import { engines, type Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

const SCENE = ['user_created', 'login']
const CHANGED = { name: 'PublicError', statusCode: 409, code: 'account_changed' }
const OTHER = parseEmail('ada@example.org')
const UNKNOWN = { id: '0198c0de-0000-7000-8000-000000000000', passwordVersion: 0 }

async function openOwnAccount (t: Test, engine: Engine, changes: Partial<NewUser> = {}) {
  const repositories = await openRepositories(t, engine)
  const { id } = await repositories.ada({ email: 'Ada@example.com', emailVerified: true, ...changes })
  return {
    ...repositories,
    ownAccount: createOwnAccount(repositories),
    ada: { id, passwordVersion: 0 },
    async mails () {
      const rows = await repositories.db.selectFrom('outbox').select(['kind', 'details']).orderBy('id').execute()
      return rows.map(({ kind, details }) => ({ kind, ...JSON.parse(details) as object }))
    }
  }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A password is set instead of the one that was verified, and the own session goes on', async (t) => {
      const { ownAccount, ada, open, login, isLive, events, mails } = await openOwnAccount(t, engine)
      const [own, other] = [await open(), await open()]

      await ownAccount.setPassword(ada, { hash: 'new hash', exceptSession: own }, CONTEXT)
      await t.rejects(ownAccount.setPassword(ada, { hash: 'late hash', exceptSession: other }, CONTEXT), CHANGED)

      t.match(await login(), { passwordHash: 'new hash', passwordVersion: 1 })
      t.strictSame([await isLive(own), await isLive(other)], [true, false])
      t.same(await events(...SCENE), [event('user_password_changed', { ...FROM_REQUEST, user_id: ada.id, details: '{"sessions":1}' })])
      t.strictSame(await mails(), [{ kind: 'password_changed', email: 'Ada@example.com', username: 'ada' }])
    })

    t.test('Of parallel passwords one is set', async (t) => {
      const { ownAccount, ada, login } = await openOwnAccount(t, engine)

      const answers = await Promise.allSettled([1, 2, 3, 4].map(async (number) => await ownAccount.setPassword(ada, { hash: `hash ${number}`, exceptSession: '' }, {})))

      const winner = answers.findIndex(({ status }) => status === 'fulfilled')
      t.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
      t.match(await login(), { passwordHash: `hash ${winner + 1}`, passwordVersion: 1 })
    })

    t.test('Another address is asked for and nothing else changes', async (t) => {
      const { ownAccount, ada, users, clock, events, mails } = await openOwnAccount(t, engine)
      const before = await users.find('ada')
      clock.at += 5

      await ownAccount.requestEmail(ada, OTHER, {}, CONTEXT)

      t.strictSame(await users.find('ada'), before)
      t.same(await events(...SCENE), [event('email_change_requested', { ...FROM_REQUEST, user_id: ada.id, at: START + 5 })])
      t.strictSame(await mails(), [
        { kind: 'email_change', userId: ada.id, passwordVersion: 0, insteadOf: 'Ada@example.com', email: 'ada@example.org' },
        { kind: 'email_change_requested', email: 'Ada@example.com', username: 'ada' }
      ])
    })

    t.test('A full name beside the address counts at once', async (t) => {
      const { ownAccount, ada, users } = await openOwnAccount(t, engine)

      await ownAccount.requestEmail(ada, OTHER, { fullName: 'Ada Lovelace' }, {})

      t.match(await users.find('ada'), { fullName: 'Ada Lovelace', email: 'Ada@example.com', emailVerifiedAt: START })
    })

    t.test('An account is removed with its sessions, and the address is told', async (t) => {
      const { ownAccount, ada, users, open, isLive, events, mails } = await openOwnAccount(t, engine)
      const session = await open()

      await ownAccount.remove(ada, CONTEXT)
      await t.rejects(ownAccount.remove(ada, CONTEXT), CHANGED)

      t.equal(await users.find('ada'), undefined)
      t.equal(await isLive(session), false)
      t.same(await events(...SCENE), [event('user_deleted', { ...FROM_REQUEST, user_id: ada.id })])
      t.strictSame(await mails(), [{ kind: 'account_deleted', email: 'Ada@example.com', username: 'ada' }])
    })

    t.test('The last administrator is not removed', async (t) => {
      const { ownAccount, ada, users, events, mails } = await openOwnAccount(t, engine, { roles: ['admin'] })

      await t.rejects(ownAccount.remove(ada, {}), { statusCode: 409, code: 'last_administrator' })

      t.match(await users.find('ada'), { id: ada.id })
      t.same(await events(...SCENE), [])
      t.strictSame(await mails(), [])
    })

    t.test('Nothing is done by a password that is not the current one any more, or for nobody', async (t) => {
      const { ownAccount, ada, users, setPassword, events, mails } = await openOwnAccount(t, engine)
      await setPassword(ada.id, 'new hash', {})
      const before = await users.find('ada')

      for (const user of [ada, UNKNOWN]) {
        await t.rejects(ownAccount.setPassword(user, { hash: 'late hash', exceptSession: '' }, {}), CHANGED)
        await t.rejects(ownAccount.requestEmail(user, OTHER, { fullName: 'Mallory' }, {}), CHANGED)
        await t.rejects(ownAccount.remove(user, {}), CHANGED)
      }

      t.strictSame(await users.find('ada'), before)
      t.same(await events(...SCENE, 'user_password_set'), [])
      t.strictSame(await mails(), [{ kind: 'password_changed', email: 'Ada@example.com', username: 'ada' }])
    })
  })
}
