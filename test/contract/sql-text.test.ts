import t from 'tap'
import { parseEmail } from '../../lib/identifiers.ts'
import { createAuditLog } from '../../plugins/data/audit-log.ts'
import { createDueMails } from '../../plugins/data/due-mails.ts'
import { createRoles } from '../../plugins/data/roles.ts'
import { createUserDirectory } from '../../plugins/data/user-directory.ts'
import { createUserImport } from '../../plugins/data/user-import.ts'
import { createUserSessions } from '../../plugins/data/user-sessions.ts'
import { ADDRESSES, AFTER_ALL, TEXTS } from '../sql-text.ts'
import { engines } from './engines.ts'
import { CONTEXT, openRepositories, START } from './repositories.ts'

type Scene = Awaited<ReturnType<typeof openRepositories>>

interface Writer {
  name: string
  write: (scene: Scene, fullName: string, email: string) => Promise<unknown>
}

const writers: Writer[] = [
  { name: 'a user who is made', write: async ({ users }, fullName, email) => await users.create({ username: 'eve', fullName, email }, {}) },
  {
    name: 'a user who is changed',
    write: async ({ users, accounts }, fullName, email) => {
      const { id } = await users.create({ username: 'eve' }, {})
      return await accounts.update(id, { fullName, email }, {})
    }
  },
  { name: 'a user who signs up', write: async ({ registration }, fullName, email) => await registration.signUp({ username: 'eve', email: parseEmail(email), fullName, passwordHash: 'hash' }, {}) },
  {
    name: 'a user who is imported',
    write: async ({ db, audit, clock }, fullName, email) => await createUserImport(db, audit, clock)
      .add([{ username: 'eve', email: parseEmail(email), fullName, passwordHash: null, roles: [], disabled: false }], {})
  }
]

/** Two users whom nothing here is about, and all that is stored of them. */
async function addOthers ({ db, users }: Scene) {
  await users.create({ username: 'ada', email: 'ada@example.com', fullName: 'Ada', passwordHash: 'hash' }, {})
  await users.create({ username: 'ben', email: 'ben@example.com', fullName: 'Ben' }, {})
  const others = async () => await db.selectFrom('users').selectAll().where('username', '!=', 'eve').orderBy('id').execute()
  return { before: await others(), others }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    for (const { name, write } of writers) {
      t.test(`SQL in the full name and the address of ${name} is stored as it is, and nobody else is changed`, async (t) => {
        const scene = await openRepositories(t, engine)
        const { before, others } = await addOthers(scene)

        for (const [index, text] of TEXTS.entries()) {
          const email = ADDRESSES[index % ADDRESSES.length] as string
          await scene.db.deleteFrom('users').where('username', '=', 'eve').execute()
          await scene.db.deleteFrom('throttles').execute()

          await write(scene, text, email)

          t.strictSame(await scene.db.selectFrom('users').select(['full_name', 'email', 'email_key', 'email_verified_at']).where('username', '=', 'eve').execute(),
            [{ full_name: text, email, email_key: email.toLowerCase(), email_verified_at: null }])
          t.strictSame(await others(), before)
        }
      })
    }

    t.test('An address that is SQL finds its owner, and nobody if it has none', async (t) => {
      const scene = await openRepositories(t, engine)
      const { db, users, oneTimeTokens } = scene
      const directory = createUserDirectory(db)
      const dueMails = createDueMails(db, oneTimeTokens)
      const find = async (email: string) => [
        (await users.find(email))?.username,
        (await users.findForLogin(email))?.id,
        (await directory.list({ search: email, limit: 9 })).users.map(({ username }) => username).join(),
        (await dueMails.prepare({ kind: 'password_reset', email }))?.username
      ]
      await addOthers(scene)

      for (const email of ADDRESSES) {
        t.strictSame(await find(email), [undefined, undefined, '', undefined], email)
        const { id } = await users.create({ username: 'eve', email }, {})
        t.strictSame(await find(email), ['eve', id, 'eve', 'eve'], email)
        await db.deleteFrom('users').where('username', '=', 'eve').execute()
      }
    })

    t.test('A link that went to an address that is SQL proves it, and no other', async (t) => {
      const scene = await openRepositories(t, engine)
      const { before, others } = await addOthers(scene)
      const { id } = await scene.users.create({ username: 'eve', email: 'eve@example.com' }, {})

      for (const email of ADDRESSES) {
        await scene.recovery.verifyEmail(await scene.mailedToken('email_change', email, 'eve'), {})
        t.match(await scene.users.find(email), { id, emailVerifiedAt: START }, email)
        await scene.db.updateTable('users').set({ email_verified_at: null }).where('id', '=', id).execute()
        await scene.recovery.resetPassword(await scene.mailedToken('password_reset', email, 'eve'), 'hash', {})
        t.match(await scene.users.find(email), { id, emailVerifiedAt: START }, email)
        t.strictSame(await others(), before)
      }
    })

    t.test('Roles, sessions and events hold SQL as it was told', async (t) => {
      const { db, audit, ada, open, events } = await openRepositories(t, engine)
      const roles = createRoles(db, audit)
      const scope = "'or'1'='1'--"
      await ada()

      for (const text of TEXTS) {
        await roles.set({ name: 'support', scopes: [scope], description: text }, {})
        const id = await open({ scope: text, clientId: text }, { ...CONTEXT, userAgent: text })

        t.strictSame(await db.selectFrom('roles').selectAll().where('name', '=', 'support').execute(), [{ name: 'support', scopes: scope, description: text }])
        t.strictSame(await db.selectFrom('sessions').select(['client_id', 'scope', 'user_agent']).where('id', '=', id).execute(), [{ client_id: text, scope: text, user_agent: text }])
        t.equal((await events('role_set')).at(-1)?.user_agent, text)
      }
    })

    t.test('A position that is SQL is one after all', async (t) => {
      const { db, ada, open, audit, clock, throttles, throttleKeys } = await openRepositories(t, engine)
      const { id } = await ada({ email: 'ada@example.com' })
      await open()
      await throttles.count(db, throttleKeys.ofMailAddress('ada@example.com'))
      const at = { at: 0, id: AFTER_ALL }

      t.strictSame(await createUserDirectory(db).list({ search: '', limit: 9, start: { foundBy: 'username', key: AFTER_ALL } }), { users: [], next: null })
      t.strictSame(await createUserDirectory(db).list({ search: '', limit: 9, start: { foundBy: 'email', key: AFTER_ALL } }), { users: [], next: null })
      t.strictSame(await createAuditLog(db).list({}, { limit: 9, after: at }), [])
      t.strictSame(await createUserSessions(db, audit, clock).list(id, { limit: 9, after: { createdAt: 0, id: AFTER_ALL } }), [])
      t.strictSame(await throttles.list({}, { after: AFTER_ALL }), [])
      t.equal((await throttles.list({}, {})).length, 1)
    })
  })
}
