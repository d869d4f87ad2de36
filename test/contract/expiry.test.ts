import t from 'tap'
import { RETIRE_AFTER_MS } from '../../lib/key-schedule.ts'
import { engines } from './engines.ts'
import { HOUR, START, storedKey } from './repositories.ts'
import { DAY, event, insertSessions, openExpiry, RETENTION, sweep } from './sweeps.ts'

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('One-time tokens go when their time is over, the others stay', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry, oneTimeTokens } = scene
      const subject = { userId: (await scene.ada()).id, email: null, passwordVersion: 0 }
      await oneTimeTokens.issue(db, 'password_reset', subject, HOUR)
      const later = await oneTimeTokens.issue(db, 'email_verification', subject, HOUR + 1)

      clock.at += HOUR - 1
      t.strictSame(await sweep(scene, expiry.oneTimeTokens, 'one_time_tokens'), [2])
      clock.at += 1
      t.strictSame(await sweep(scene, expiry.oneTimeTokens, 'one_time_tokens'), [1])
      t.ok(await oneTimeTokens.take(db, 'email_verification', later))
    })

    t.test('Audit events go when they are older than the retention', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry } = scene
      await db.insertInto('audit_events').values([event('z', START), event('a', START + 1)]).execute()

      clock.at = START + RETENTION
      t.strictSame(await sweep(scene, expiry.auditEvents, 'audit_events'), [2])
      clock.at += 1
      t.strictSame(await sweep(scene, expiry.auditEvents, 'audit_events'), [1])
      t.same(await db.selectFrom('audit_events').select('id').execute(), [{ id: 'a' }])
    })

    t.test('Messages go when nobody tries to send them any more', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry, outbox } = scene
      await outbox.add(db, { kind: 'invitation', userId: 'first' })
      clock.at += 1
      await outbox.add(db, { kind: 'invitation', userId: 'second' })

      clock.at = START + 2 * DAY
      t.strictSame(await sweep(scene, expiry.outbox, 'outbox'), [2])
      clock.at += 1
      t.strictSame(await sweep(scene, expiry.outbox, 'outbox'), [1])
      t.match(await outbox.take(HOUR), { message: { userId: 'second' } })
    })

    t.test('Sessions go when they ended more than a day ago, however they ended', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry } = scene
      const { id } = await scene.ada()
      clock.at = START + 10 * DAY
      const [ended, justEnded] = [clock.at - DAY - 1, clock.at - DAY]
      await insertSessions(scene, id, ['live'])
      await insertSessions(scene, id, ['revoked'], { revoked_at: ended })
      await insertSessions(scene, id, ['just-revoked'], { revoked_at: justEnded })
      await insertSessions(scene, id, ['expired'], { expires_at: ended })
      await insertSessions(scene, id, ['just-expired'], { expires_at: justEnded })
      await insertSessions(scene, id, ['idle'], { idle_expires_at: ended })
      await insertSessions(scene, id, ['just-idle'], { idle_expires_at: justEnded })

      await sweep(scene, expiry.sessions, 'sessions')

      const left = await db.selectFrom('sessions').select('id').orderBy('id').execute()
      t.strictSame(left.map(({ id }) => id), ['just-expired', 'just-idle', 'just-revoked', 'live'])
    })

    t.test('Signing keys go when nobody has believed their tokens for a day', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry, signingKeys } = scene
      const ended = START - DAY
      const keys = {
        first: { activatesAt: ended - RETIRE_AFTER_MS - HOUR },
        revoked: { activatesAt: START - HOUR, revokedAt: ended },
        second: { activatesAt: ended - RETIRE_AFTER_MS },
        revokedLater: { activatesAt: START - 2 * HOUR, revokedAt: ended + 1 },
        last: { activatesAt: START + HOUR }
      }
      for (const [kid, changes] of Object.entries(keys)) await signingKeys.add(storedKey(kid, changes), { isWanted: () => true, revokeOthers: false }, {})
      const left = async (): Promise<string[]> => {
        await expiry.signingKeys('')
        return (await db.selectFrom('signing_keys').select('kid').orderBy('activates_at').execute()).map(({ kid }) => kid)
      }

      t.strictSame(await left(), ['first', 'second', 'revokedLater', 'revoked', 'last'])
      clock.at += 1
      t.strictSame(await left(), ['second', 'revokedLater', 'last'])
      clock.at = START + HOUR + RETIRE_AFTER_MS + DAY + 1
      t.strictSame(await left(), ['last'])
      clock.at += 1000 * DAY
      t.strictSame(await left(), ['last'])
    })

    t.test('A signing key that was never succeeded but by a revoked one stays', async (t) => {
      const scene = await openExpiry(t, engine)
      const { clock, expiry, signingKeys } = scene
      const key = storedKey('one')
      await signingKeys.add(key, { isWanted: () => true, revokeOthers: false }, {})
      await signingKeys.add(storedKey('two', { activatesAt: START + 1, revokedAt: START + 2 }), { isWanted: () => true, revokeOthers: false }, {})
      clock.at += 1000 * DAY

      await expiry.signingKeys('')

      t.same(await signingKeys.list(), [key])
    })

    t.test('Where nothing is there is nothing to do', async (t) => {
      const scene = await openExpiry(t, engine)
      const { expiry } = scene

      t.strictSame(await sweep(scene, expiry.oneTimeTokens, 'one_time_tokens'), [0])
      t.strictSame(await sweep(scene, expiry.auditEvents, 'audit_events'), [0])
      t.strictSame(await sweep(scene, expiry.sessions, 'sessions'), [0])
      t.strictSame(await sweep(scene, expiry.signingKeys, 'signing_keys'), [0])
      t.strictSame(await sweep(scene, expiry.outbox, 'outbox'), [0])
    })
  })
}
