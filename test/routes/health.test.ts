import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { build, captureLog, lockDatabase, requestToken } from '../helper.ts'

function isNotReady (t: Test, response: LightMyRequestResponse, failed: string[]): void {
  t.equal(response.statusCode, 503)
  t.strictSame(response.json(), { status: 'not_ready', failed })
  t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
}

t.test('a service that serves is live and ready, and says nothing else of itself', async (t) => {
  const app = await build(t)

  const live = await app.inject('/health/live')
  const ready = await app.inject('/health/ready')

  t.equal(live.statusCode, 200)
  t.equal(live.body, '{"status":"live"}')
  t.equal(ready.statusCode, 200)
  t.equal(ready.body, '{"status":"ready"}')
})

t.test('without its database it is live and not ready', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  await app.db.schema.alterTable('roles').renameTo('hidden').execute()

  const ready = await app.inject('/health/ready')
  const live = await app.inject('/health/live')

  isNotReady(t, ready, ['database'])
  t.equal(live.statusCode, 200)
  t.match(log.lines.find(({ level }) => level === 50), { msg: 'The database does not answer', err: { type: 'Error' } })
})

t.test('it is ready again when its database is', async (t) => {
  const app = await build(t)
  await app.db.schema.alterTable('roles').renameTo('hidden').execute()

  isNotReady(t, await app.inject('/health/ready'), ['database'])
  await app.db.schema.alterTable('hidden').renameTo('roles').execute()

  t.equal((await app.inject('/health/ready')).statusCode, 200)
})

t.test('without a key whose tokens are believed it is not ready', async (t) => {
  const app = await build(t)
  app.keyRing.trusted = () => []

  isNotReady(t, await app.inject('/health/ready'), ['signing_keys'])
})

t.test('all that fails is named', async (t) => {
  const app = await build(t)
  app.keyRing.trusted = () => []
  await app.db.schema.alterTable('roles').renameTo('hidden').execute()

  isNotReady(t, await app.inject('/health/ready'), ['database', 'signing_keys'])
})

t.test('it is ready while another program holds the write lock, and does not wait for it', async (t) => {
  const app = await build(t)
  const release = lockDatabase(t, app)
  let isAnswered = false
  const login = requestToken(app).finally(() => { isAnswered = true })

  const ready = await app.inject('/health/ready')

  t.equal(ready.statusCode, 200)
  t.equal(isAnswered, false)
  release()
  t.equal((await login).statusCode, 200)
})
