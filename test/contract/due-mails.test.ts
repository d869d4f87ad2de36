import t, { type Test } from 'tap'
import type { OutboxMessage } from '../../lib/outbox-message.ts'
import { createDueMails } from '../../plugins/data/due-mails.ts'
import type { TokenPurpose } from '../../plugins/data/one-time-tokens.ts'
import { engines, type Engine } from './engines.ts'
import { HOUR, openRepositories } from './repositories.ts'

async function openDueMails (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, users, oneTimeTokens } = repositories
  const { id } = await users.create({ username: 'ada', email: 'Ada@Example.com' }, {})
  await db.updateTable('users').set({ password_version: 7 }).execute()

  return {
    ...repositories,
    id,
    dueMails: createDueMails(db, oneTimeTokens),
    async verify () {
      await db.updateTable('users').set({ email_verified_at: 1 }).where('id', '=', id).execute()
    },
    async isEmpty (t: Test) {
      t.same(await db.selectFrom('one_time_tokens').selectAll().execute(), [], 'no token is made')
    }
  }
}

const MINUTE = 60_000

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    const links: Array<{ message: (id: string) => OutboxMessage, purpose: TokenPurpose, lifetime: number, to?: string }> = [
      { message: () => ({ kind: 'email_verification', email: 'ADA@example.com' }), purpose: 'email_verification', lifetime: 24 * HOUR },
      { message: (userId) => ({ kind: 'email_change', userId, passwordVersion: 7, insteadOf: 'Ada@example.com', email: 'New@example.com' }), purpose: 'email_change', lifetime: 24 * HOUR, to: 'New@example.com' },
      { message: (userId) => ({ kind: 'email_change', userId, passwordVersion: 7, insteadOf: 'Ada@example.com', email: 'Ada@example.com' }), purpose: 'email_change', lifetime: 24 * HOUR },
      { message: () => ({ kind: 'password_reset', email: 'aDa@eXample.com' }), purpose: 'password_reset', lifetime: 30 * MINUTE },
      { message: (userId) => ({ kind: 'password_reset_by_admin', userId }), purpose: 'password_reset', lifetime: 30 * MINUTE },
      { message: (userId) => ({ kind: 'invitation', userId }), purpose: 'invitation', lifetime: 7 * 24 * HOUR },
      { message: (userId) => ({ kind: 'email_confirmed', userId, email: 'Ada@example.com' }), purpose: 'password_reset', lifetime: 30 * MINUTE }
    ]
    for (const { message, purpose, lifetime, to = 'Ada@example.com' } of links) {
      const { kind, ...details } = message('his id')

      t.test(`${kind} ${JSON.stringify(details)} is a mail to ${to} with a token for ${purpose}`, async (t) => {
        const { dueMails, db, oneTimeTokens, clock, id } = await openDueMails(t, engine)

        const due = await dueMails.prepare(message(id))

        const token = due !== undefined && 'token' in due ? due.token : ''
        t.strictSame(due, { kind, to, username: 'ada', token })
        clock.at += lifetime - 1
        t.strictSame(await oneTimeTokens.find(db, purpose, token), { userId: id, email: to, passwordVersion: 7 })
        clock.at += 1
        t.equal(await oneTimeTokens.find(db, purpose, token), undefined)
      })

      t.test(`${kind} ${JSON.stringify(details)} comes to nothing once the user is disabled`, async (t) => {
        const { dueMails, accounts, isEmpty, id } = await openDueMails(t, engine)
        await accounts.update(id, { disabled: true }, {})

        t.equal(await dueMails.prepare(message(id)), undefined)
        await isEmpty(t)
      })

      t.test(`${kind} ${JSON.stringify(details)} comes to nothing once the user is gone`, async (t) => {
        const { dueMails, accounts, isEmpty, id } = await openDueMails(t, engine)
        await accounts.remove(id, {})

        t.equal(await dueMails.prepare(message(id)), undefined)
        await isEmpty(t)
      })
    }

    for (const kind of ['password_reset_by_admin', 'invitation'] as const) {
      t.test(`${kind} comes to nothing for a user without an address`, async (t) => {
        const { dueMails, accounts, isEmpty, id } = await openDueMails(t, engine)
        await accounts.update(id, { email: null }, {})

        t.equal(await dueMails.prepare({ kind, userId: id }), undefined)
        await isEmpty(t)
      })
    }

    for (const kind of ['email_verification', 'email_change'] as const) {
      t.test(`${kind} comes to nothing for an address that is proven`, async (t) => {
        const { dueMails, verify, isEmpty, id } = await openDueMails(t, engine)
        await verify()

        t.equal(await dueMails.prepare({ kind, userId: id, passwordVersion: 7, insteadOf: 'Ada@example.com', email: 'ada@example.com' }), undefined)
        await isEmpty(t)
      })
    }

    t.test('email_change comes to nothing once another password was set', async (t) => {
      const { dueMails, isEmpty, id } = await openDueMails(t, engine)

      for (const passwordVersion of [6, 8]) {
        t.equal(await dueMails.prepare({ kind: 'email_change', userId: id, passwordVersion, insteadOf: 'Ada@example.com', email: 'new@example.com' }), undefined)
      }
      await isEmpty(t)
    })

    t.test('email_change comes to nothing once the user has another address', async (t) => {
      const { dueMails, accounts, isEmpty, id } = await openDueMails(t, engine)
      const message: OutboxMessage = { kind: 'email_change', userId: id, passwordVersion: 7, insteadOf: 'Ada@example.com', email: 'new@example.com' }

      for (const email of ['ada@example.org', null]) {
        await accounts.update(id, { email }, {})
        t.equal(await dueMails.prepare(message), undefined)
      }
      await isEmpty(t)
    })

    t.test('email_confirmed comes to nothing once the user has another address', async (t) => {
      const { dueMails, accounts, isEmpty, id } = await openDueMails(t, engine)
      await accounts.update(id, { email: 'ada@example.org' }, {})

      t.equal(await dueMails.prepare({ kind: 'email_confirmed', userId: id, email: 'Ada@example.com' }), undefined)
      await isEmpty(t)
    })

    t.test('what strangers ask for makes neither an invitation nor a change of the address void', async (t) => {
      const { dueMails, db, oneTimeTokens, id } = await openDueMails(t, engine)
      const invitation = await dueMails.prepare({ kind: 'invitation', userId: id }) as { token: string }
      const change = await dueMails.prepare({ kind: 'email_change', userId: id, passwordVersion: 7, insteadOf: 'Ada@example.com', email: 'new@example.com' }) as { token: string }

      for (const kind of ['password_reset', 'email_verification'] as const) await dueMails.prepare({ kind, email: 'ada@example.com' })

      t.match(await oneTimeTokens.find(db, 'invitation', invitation.token), { userId: id })
      t.match(await oneTimeTokens.find(db, 'email_change', change.token), { email: 'new@example.com' })
    })

    t.test('password_reset is sent to a proven address too', async (t) => {
      const { dueMails, verify } = await openDueMails(t, engine)
      await verify()

      t.match(await dueMails.prepare({ kind: 'password_reset', email: 'ada@example.com' }), { to: 'Ada@example.com', token: String })
    })

    t.test('a new link makes the one of the mail before void', async (t) => {
      const { dueMails, db, oneTimeTokens } = await openDueMails(t, engine)
      const [first, second] = [
        await dueMails.prepare({ kind: 'password_reset', email: 'ada@example.com' }),
        await dueMails.prepare({ kind: 'password_reset', email: 'ada@example.com' })
      ] as Array<{ token: string }>

      t.equal(await oneTimeTokens.find(db, 'password_reset', first?.token ?? ''), undefined)
      t.ok(await oneTimeTokens.find(db, 'password_reset', second?.token ?? ''))
    })

    for (const email of ['nobody@example.com', 'ada', 'not an address', '@', '']) {
      for (const kind of ['email_verification', 'password_reset', 'address_in_use'] as const) {
        t.test(`${kind} comes to nothing for ${JSON.stringify(email)}`, async (t) => {
          const { dueMails, isEmpty } = await openDueMails(t, engine)

          t.equal(await dueMails.prepare({ kind, email }), undefined)
          await isEmpty(t)
        })
      }
    }

    const inUse: Array<{ name: string, message: (benId: string) => OutboxMessage }> = [
      { name: 'address_in_use', message: () => ({ kind: 'address_in_use', email: 'ADA@example.com' }) },
      { name: 'email_change of another user', message: (userId) => ({ kind: 'email_change', userId, passwordVersion: 7, insteadOf: 'ben@example.com', email: 'ADA@example.com' }) }
    ]
    for (const { name, message } of inUse) {
      t.test(`${name} tells the owner of the address, and makes no token`, async (t) => {
        const { dueMails, users, isEmpty } = await openDueMails(t, engine)
        const ben = await users.create({ username: 'ben', email: 'ben@example.com' }, {})

        t.strictSame(await dueMails.prepare(message(ben.id)), { kind: 'address_in_use', to: 'Ada@example.com', username: 'ada' })
        await isEmpty(t)
      })

      t.test(`${name} tells nobody when the owner is disabled`, async (t) => {
        const { dueMails, users, accounts, isEmpty, id } = await openDueMails(t, engine)
        const ben = await users.create({ username: 'ben', email: 'ben@example.com' }, {})
        await accounts.update(id, { disabled: true }, {})

        t.equal(await dueMails.prepare(message(ben.id)), undefined)
        await isEmpty(t)
      })
    }

    for (const kind of ['password_changed', 'email_change_requested', 'email_changed', 'account_deleted'] as const) {
      t.test(`${kind} goes where it was addressed, whoever has that address now`, async (t) => {
        const { dueMails, isEmpty } = await openDueMails(t, engine)

        t.strictSame(await dueMails.prepare({ kind, email: 'Old@example.com', username: 'countess' }), { kind, to: 'Old@example.com', username: 'countess' })
        t.strictSame(await dueMails.prepare({ kind, email: 'ada@example.com', username: 'countess' }), { kind, to: 'ada@example.com', username: 'countess' })
        await isEmpty(t)
      })
    }
  })
}
