import t, { type Test } from 'tap'
import { createUserAdministration } from '../../plugins/data/user-administration.ts'
import { engines, type Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories } from './repositories.ts'

const GO_ON = async (): Promise<void> => {}
const REFUSE = async (): Promise<never> => { throw new Error('no') }

async function openAdministration (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  return { ...repositories, administration: createUserAdministration(repositories) }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Who is invited is there without a password, and is owed a mail', async (t) => {
      const { administration, users, login, mails, events } = await openAdministration(t, engine)

      const user = await administration.invite({ username: 'ada', email: 'ada@example.com', fullName: 'Ada', roles: ['admin'] }, CONTEXT, GO_ON)

      t.match(user, { username: 'ada', email: 'ada@example.com', emailVerifiedAt: null, fullName: 'Ada', roles: ['user', 'admin'] })
      t.strictSame(await users.find('ada'), user)
      t.equal((await login()).passwordHash, null)
      t.strictSame(await mails(), [{ kind: 'invitation', userId: user.id }])
      t.same(await events(), [event('user_created', { ...FROM_REQUEST, user_id: user.id, details: '{"roles":"admin"}' })])
    })

    t.test('Nobody is invited and nothing is owed when the guard refuses or the name is taken', async (t) => {
      const { administration, users, ada, mails, events } = await openAdministration(t, engine)
      await ada({ email: 'ada@example.com' })

      await t.rejects(administration.invite({ username: 'ben', email: 'ben@example.com' }, CONTEXT, REFUSE), { message: 'no' })
      await t.rejects(administration.invite({ username: 'ada', email: 'ben@example.com' }, CONTEXT, GO_ON), { code: 'username_taken' })
      await t.rejects(administration.invite({ username: 'ben', email: 'ada@example.com' }, CONTEXT, GO_ON), { code: 'email_taken' })
      await t.rejects(administration.invite({ username: 'ben', email: 'ben@example.com', roles: ['boss'] }, CONTEXT, GO_ON), { code: 'unknown_role' })

      t.equal(await users.find('ben'), undefined)
      t.strictSame(await mails(), [])
      t.equal((await events()).length, 1)
    })

    t.test('A reset that an administrator starts owes the user a mail and changes nothing else', async (t) => {
      const { administration, ada, login, open, isLive, mails, events } = await openAdministration(t, engine)
      const { id } = await ada({ email: 'ada@example.com' })
      const session = await open()

      await administration.requestPasswordReset(id, CONTEXT, GO_ON)

      t.strictSame(await mails(), [{ kind: 'password_reset_by_admin', userId: id }])
      t.same(await events('user_created', 'login'), [event('password_reset_requested', { ...FROM_REQUEST, user_id: id })])
      t.match(await login(), { passwordHash: 'hash', passwordVersion: 0 })
      t.equal(await isLive(session), true)
    })

    t.test('No reset is started for a user without an address or who is disabled, or when the guard refuses', async (t) => {
      const { administration, users, accounts, ada, mails, events } = await openAdministration(t, engine)
      const { id } = await ada()
      const { id: benId } = await users.create({ username: 'ben', email: 'ben@example.com' }, {})

      await t.rejects(administration.requestPasswordReset(id, CONTEXT, GO_ON), { statusCode: 409, code: 'no_email' })
      await t.rejects(administration.requestPasswordReset(benId, CONTEXT, REFUSE), { message: 'no' })
      await accounts.update(benId, { disabled: true }, {})
      await t.rejects(administration.requestPasswordReset(benId, CONTEXT, GO_ON), { statusCode: 409, code: 'user_disabled' })

      t.strictSame(await mails(), [])
      t.strictSame(await events('user_created', 'user_disabled'), [])
    })
  })
}
