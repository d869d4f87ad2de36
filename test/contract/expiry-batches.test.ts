import t from 'tap'
import { BATCH } from '../../plugins/data/expiry.ts'
import { engines } from './engines.ts'
import { START } from './repositories.ts'
import { DAY, event, insertSessions, openExpiry, RETENTION, sweep } from './sweeps.ts'

const many = <Row>(count: number, row: (id: string, index: number) => Row): Row[] =>
  Array.from({ length: count }, (_, index) => row(String(index).padStart(6, '0'), index))

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('What is removed is removed in batches', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry } = scene
      const { id: userId } = await scene.ada()
      const count = 2 * BATCH + 3
      for (let first = 0; first < count; first += BATCH) {
        const part = many(count, (id, index) => ({ id, at: START + index })).slice(first, first + BATCH)
        await db.insertInto('one_time_tokens').values(part.map(({ id, at }) => ({ hash: id, purpose: id, user_id: userId, email: null, password_version: 0, created_at: at, expires_at: at }))).execute()
        await db.insertInto('audit_events').values(part.map(({ id, at }) => event(id, at))).execute()
        await db.insertInto('signing_keys').values(part.map(({ id, at }) => ({ kid: id, alg: 'ES256', private_key: 'sealed', created_at: at, activates_at: at, revoked_at: at }))).execute()
        await db.insertInto('outbox').values(part.map(({ id, at }) => ({ id, kind: 'invitation', details: '{}', attempts: 0, due_at: at, created_at: at }))).execute()
      }
      const [{ rows: events }] = await db.selectFrom('audit_events').select(({ fn }) => fn.countAll<number>().as('rows')).execute() as [{ rows: number }]
      clock.at = START + 2 * RETENTION

      t.strictSame(await sweep(scene, expiry.oneTimeTokens, 'one_time_tokens'), [BATCH + 3, 3, 0])
      t.strictSame(await sweep(scene, expiry.outbox, 'outbox'), [BATCH + 3, 3, 0])
      t.strictSame(await sweep(scene, expiry.signingKeys, 'signing_keys'), [BATCH + 3, 3, 0])
      t.strictSame(await sweep(scene, expiry.auditEvents, 'audit_events'), [events - BATCH, events - 2 * BATCH, 0])
      t.equal(BATCH, 500)
    })

    t.test('Sessions are walked through in batches, whether there is something to remove in one or not', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry } = scene
      const { id } = await scene.ada()
      const ids = many(2 * BATCH + 2, (session) => session)
      for (let first = 0; first < ids.length; first += BATCH) await insertSessions(scene, id, ids.slice(first, first + BATCH))
      const ended = [ids[0], ids[1], ids.at(-1)] as string[]
      await db.updateTable('sessions').set({ revoked_at: START }).where('id', 'in', ended).execute()
      clock.at = START + DAY + 1

      t.strictSame(await sweep(scene, expiry.sessions, 'sessions'), [ids.length - 2, ids.length - 2, ids.length - 3, ids.length - 3])

      const left = await db.selectFrom('sessions').select('id').orderBy('id').execute()
      t.strictSame(left.map((session) => session.id), ids.filter((session) => !ended.includes(session)))
    })

    t.test('A batch of sessions begins at its cursor', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry } = scene
      await insertSessions(scene, (await scene.ada()).id, ['before', 'cursor', 'later'], { revoked_at: START })
      clock.at = START + DAY + 1

      t.equal(await expiry.sessions('cursor'), 'later')

      t.same(await db.selectFrom('sessions').select('id').orderBy('id').execute(), [{ id: 'before' }, { id: 'cursor' }])
    })

    t.test('Several processes that keep house at once remove each row once and nothing else', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry } = scene
      const rows = many(BATCH, (id) => event(id, START))
      await db.insertInto('audit_events').values(rows).execute()
      await db.insertInto('audit_events').values(event('young', START + RETENTION)).execute()
      clock.at = START + RETENTION + 1

      await Promise.all(Array.from({ length: 5 }, async () => await sweep(scene, expiry.auditEvents, 'audit_events')))

      t.same(await db.selectFrom('audit_events').select('id').execute(), [{ id: 'young' }])
    })
  })
}
