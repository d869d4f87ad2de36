import t, { type Test } from 'tap'
import { RETIRE_AFTER_MS } from '../../lib/key-schedule.ts'
import { BATCH, createExpiry, type Sweep } from '../../plugins/data/expiry.ts'
import { engines, type Engine } from './engines.ts'
import { HOUR, IDLE, LIFETIME, openRepositories, START, storedKey } from './repositories.ts'

const DAY = 24 * HOUR
const RETENTION = 180 * DAY

async function openExpiry (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  return { ...repositories, expiry: createExpiry(repositories.db, repositories.clock, { auditRetentionMs: RETENTION }) }
}

type Scene = Awaited<ReturnType<typeof openExpiry>>

const many = <Row>(count: number, row: (id: string, index: number) => Row): Row[] =>
  Array.from({ length: count }, (_, index) => row(String(index).padStart(6, '0'), index))

/** Runs the sweep to its end; gives how many rows were left after each batch. */
async function sweep ({ db }: Scene, removeBatch: Sweep, table: 'one_time_tokens' | 'audit_events' | 'sessions' | 'outbox'): Promise<number[]> {
  const left: number[] = []
  let cursor: string | undefined = ''
  while (cursor !== undefined && left.length < 20) {
    cursor = await removeBatch(cursor)
    left.push((await db.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('rows')).executeTakeFirstOrThrow()).rows)
  }
  return left
}

const event = (id: string, at: number) => ({
  id, type: 'login', outcome: 'success', at, actor_id: null, user_id: null, session_id: null, client_id: null, ip: null, user_agent: null, request_id: null, details: null
})

async function insertSessions ({ db }: Scene, userId: string, ids: string[], changes: { revoked_at?: number | null, expires_at?: number, idle_expires_at?: number } = {}): Promise<void> {
  await db.insertInto('sessions').values(ids.map((id) => ({
    id,
    user_id: userId,
    client_id: 'first-party',
    scope: 'profile',
    generation: 0,
    created_at: START,
    last_used_at: START,
    rotated_at: null,
    idle_expires_at: START + IDLE,
    expires_at: START + LIFETIME,
    revoked_at: null,
    ip: null,
    user_agent: null,
    ...changes
  }))).execute()
}

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
      t.strictSame(await sweep(scene, expiry.outbox, 'outbox'), [0])
    })

    t.test('What is removed is removed in batches, the oldest first', async (t) => {
      const scene = await openExpiry(t, engine)
      const { db, clock, expiry } = scene
      const { id: userId } = await scene.ada()
      const count = 2 * BATCH + 3
      for (let first = 0; first < count; first += BATCH) {
        const part = many(count, (id, index) => ({ id, at: START + index })).slice(first, first + BATCH)
        await db.insertInto('one_time_tokens').values(part.map(({ id, at }) => ({ hash: id, purpose: id, user_id: userId, email: null, password_version: 0, created_at: at, expires_at: at }))).execute()
        await db.insertInto('audit_events').values(part.map(({ id, at }) => event(id, at))).execute()
        await db.insertInto('outbox').values(part.map(({ id, at }) => ({ id, kind: 'invitation', details: '{}', attempts: 0, due_at: at, created_at: at }))).execute()
      }
      const [{ rows: events }] = await db.selectFrom('audit_events').select(({ fn }) => fn.countAll<number>().as('rows')).execute() as [{ rows: number }]
      clock.at = START + 2 * RETENTION

      t.strictSame(await sweep(scene, expiry.oneTimeTokens, 'one_time_tokens'), [BATCH + 3, 3, 0])
      t.strictSame(await sweep(scene, expiry.outbox, 'outbox'), [BATCH + 3, 3, 0])
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
