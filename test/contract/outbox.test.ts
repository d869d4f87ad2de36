import t from 'tap'
import type { OutboxMessage } from '../../lib/outbox-message.ts'
import { engines } from './engines.ts'
import { openRepositories, START } from './repositories.ts'

const LEASE = 60_000
const RESET: OutboxMessage = { kind: 'password_reset', email: 'ada@example.com' }

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A message comes out as it went in', async (t) => {
      const { db, outbox } = await openRepositories(t, engine)
      const messages: OutboxMessage[] = [RESET, { kind: 'email_change', userId: 'user', passwordVersion: 0, insteadOf: null, email: 'new@example.com' }, { kind: 'invitation', userId: 'user' }]
      for (const message of messages) await outbox.add(db, message)

      for (const message of messages) {
        const taken = await outbox.take(LEASE)
        t.strictSame(taken, { id: taken?.id, message, attempts: 0, createdAt: START })
      }
      t.equal(await outbox.take(LEASE), undefined)
    })

    t.test('A message is undone with the act that it tells of', async (t) => {
      const { db, outbox } = await openRepositories(t, engine)

      await t.rejects(db.transaction().execute(async (tx) => {
        await outbox.add(tx, RESET)
        throw new Error('changed my mind')
      }))

      t.equal(await outbox.take(LEASE), undefined)
    })

    t.test('A message that was taken is nobody else\'s until the lease is over, and then it is due again', async (t) => {
      const { db, outbox, clock } = await openRepositories(t, engine)
      await outbox.add(db, RESET)
      const first = await outbox.take(LEASE)

      clock.at += LEASE - 1
      t.equal(await outbox.take(LEASE), undefined)
      clock.at += 1
      t.strictSame(await outbox.take(LEASE), { ...first, attempts: 1 })
    })

    t.test('20 who take at once get 20 messages, each one of them', async (t) => {
      const { db, outbox } = await openRepositories(t, engine)
      for (let count = 0; count < 20; count++) await outbox.add(db, RESET)

      const taken = await Promise.all(Array.from({ length: 25 }, async () => await outbox.take(LEASE)))

      t.equal(new Set(taken.map((message) => message?.id)).size, 21, '20 different ones, and undefined')
      t.equal(taken.filter((message) => message === undefined).length, 5)
    })

    t.test('20 who take the only message at once: one gets it', async (t) => {
      const { db, outbox } = await openRepositories(t, engine)
      await outbox.add(db, RESET)

      const taken = await Promise.all(Array.from({ length: 20 }, async () => await outbox.take(LEASE)))

      t.equal(taken.filter((message) => message !== undefined).length, 1)
    })

    t.test('Who waits longest comes first, and who was postponed when it is time', async (t) => {
      const { db, outbox, clock } = await openRepositories(t, engine)
      await outbox.add(db, { kind: 'invitation', userId: 'first' })
      clock.at += 5
      await outbox.add(db, { kind: 'invitation', userId: 'second' })

      const first = await outbox.take(LEASE)
      await outbox.postpone(first?.id ?? '', clock.at + 10)
      const second = await outbox.take(LEASE)
      clock.at += 9
      const early = await outbox.take(LEASE)
      clock.at += 1
      const again = await outbox.take(LEASE)

      t.match(first, { message: { userId: 'first' } })
      t.match(second, { message: { userId: 'second' } })
      t.equal(early, undefined)
      t.strictSame(again, { ...first, attempts: 1 })
    })

    t.test('A message that was removed is gone, and no other', async (t) => {
      const { db, outbox, clock } = await openRepositories(t, engine)
      await outbox.add(db, { kind: 'invitation', userId: 'first' })
      await outbox.add(db, { kind: 'invitation', userId: 'second' })
      const first = await outbox.take(LEASE)

      await outbox.remove(first?.id ?? '')
      clock.at += LEASE

      t.match(await outbox.take(LEASE), { message: { userId: 'second' } })
      t.equal(await outbox.take(LEASE), undefined)
    })
  })
}
