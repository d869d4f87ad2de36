import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Expiry } from '../../../plugins/data/expiry.ts'
import { HOUSEKEEPING_MS } from '../../../plugins/support/housekeeping.ts'
import { auditEvents, build, captureLog, createUser, JOHN, logIn, requestToken, stopClock } from '../../helper.ts'

const SWEEPS = ['oneTimeTokens', 'auditEvents', 'sessions', 'signingKeys', 'outbox', 'throttles', 'knownNetworks']
const DAY = 24 * 60 * 60 * 1000

/** Puts counting sweeps in the place of all real ones. */
function watchSweeps (app: FastifyInstance, sweep: Expiry[keyof Expiry] = async () => undefined): string[] {
  const swept: string[] = []
  for (const what of Object.keys(app.expiry) as Array<keyof Expiry>) {
    app.expiry[what] = async (cursor) => {
      swept.push(what)
      return await sweep(cursor)
    }
  }
  return swept
}

t.test('what nobody needs any more is removed, and nothing else', async (t) => {
  const app = await build(t, { AUDIT_RETENTION_DAYS: '30' })
  const clock = stopClock(app)
  const { id: userId } = await createUser(app, { email: 'ada@example.com' })
  await app.oneTimeTokens.issue(app.db, 'password_reset', { userId, email: null, passwordVersion: 0 }, DAY)
  await app.outbox.add(app.db, { kind: 'password_reset', email: 'ada@example.com' })
  await logIn(app)
  await requestToken(app, { ...JOHN, password: 'wrong' })
  clock.advance(31 * DAY)
  await app.oneTimeTokens.issue(app.db, 'email_verification', { userId, email: null, passwordVersion: 0 }, DAY)
  await app.outbox.add(app.db, { kind: 'invitation', userId })
  await logIn(app)

  await app.housekeeping.run()

  t.match(await app.db.selectFrom('one_time_tokens').selectAll().execute(), [{ purpose: 'email_verification' }])
  t.match(await app.db.selectFrom('outbox').selectAll().execute(), [{ kind: 'invitation' }])
  t.equal((await app.db.selectFrom('sessions').selectAll().execute()).length, 1)
  t.equal((await auditEvents(app, 'login')).length, 1)
  t.strictSame(await auditEvents(app, 'user_created'), [])
  t.strictSame(await app.db.selectFrom('throttles').selectAll().execute(), [])
  t.equal((await app.db.selectFrom('known_networks').selectAll().execute()).length, 1)
  t.equal((await app.db.selectFrom('users').selectAll().execute()).length, 2)
})

t.test('each sweep goes on from its own cursor to its end', async (t) => {
  const app = await build(t)
  const cursors: string[] = []
  const swept = watchSweeps(app, async (cursor) => {
    cursors.push(cursor)
    return cursor === '' ? 'next' : undefined
  })

  await app.housekeeping.run()

  t.strictSame(swept, SWEEPS.flatMap((what) => [what, what]))
  t.strictSame(cursors, Array(SWEEPS.length).fill(['', 'next']).flat())
})

t.test('others have their turn between two batches', async (t) => {
  const app = await build(t)
  const turns: string[] = []
  watchSweeps(app, async (cursor) => {
    turns.push('batch')
    setImmediate().then(() => { turns.push('others') }, t.fail)
    return cursor === '' ? 'next' : undefined
  })

  await app.housekeeping.run()

  t.strictSame(turns, Array(2 * SWEEPS.length).fill(['batch', 'others']).flat())
})

t.test('it never runs twice at a time', async (t) => {
  const app = await build(t)
  const swept = watchSweeps(app)

  await Promise.all([app.housekeeping.run(), app.housekeeping.run(), app.housekeeping.run()])
  t.equal(swept.length, SWEEPS.length)

  await app.housekeeping.run()
  t.equal(swept.length, 2 * SWEEPS.length)
})

t.test('an error is logged and stops nothing else', async (t) => {
  const log = captureLog('error')
  const app = await build(t, {}, log.logger)
  const swept = watchSweeps(app, async () => { throw new Error('the disk is gone') })

  await app.housekeeping.run()
  await app.housekeeping.run()

  t.equal(swept.length, 2 * SWEEPS.length)
  t.match(log.lines.slice(0, SWEEPS.length), SWEEPS.map((what) => ({ level: 50, what, err: { message: 'the disk is gone' }, msg: 'What is too old could not be removed' })))
})

t.test('a stop waits for the batch that is being removed and begins no other', async (t) => {
  const app = await build(t)
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const { promise: batch, resolve: endBatch } = Promise.withResolvers<void>()
  const swept = watchSweeps(app, async () => {
    start()
    await batch
    return 'next'
  })
  const run = app.housekeeping.run()
  await started

  let closed = false
  const close = app.close().then(() => { closed = true })
  while (!app.isDraining()) await setImmediate()
  t.equal(closed, false)
  endBatch()
  await Promise.all([run, close])

  t.strictSame(swept, ['oneTimeTokens'])
})

t.test('a process keeps house every quarter of an hour from when it listens until it stops', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => { mock.timers.reset() })
  const app = await build(t)
  const runs = t.capture(app.housekeeping, 'run')

  mock.timers.tick(HOUSEKEEPING_MS)
  t.equal(runs().length, 0, 'a process that does not listen leaves it to others')
  await app.listen({ host: '127.0.0.1', port: 0 })
  mock.timers.tick(2 * HOUSEKEEPING_MS)
  t.equal(runs().length, 2)
  t.equal(HOUSEKEEPING_MS, 15 * 60 * 1000)

  await app.close()
  mock.timers.tick(HOUSEKEEPING_MS)
  t.equal(runs().length, 0)
})
