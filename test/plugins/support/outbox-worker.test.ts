import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { OutboxMessage } from '../../../lib/outbox-message.ts'
import { POLL_MS } from '../../../plugins/support/outbox-worker.ts'
import { build, captureLog, testEnv } from '../../helper.ts'
import { startMailServer, tokenIn, type MailServer } from '../../mail-server.ts'
import { ada, owed, RESET } from './outbox.ts'

async function buildWithServer (t: Test): Promise<{ app: FastifyInstance, server: MailServer }> {
  const server = await startMailServer(t)
  return { server, app: await build(t, { SMTP_URL: server.url }) }
}

t.test('a message becomes a mail whose link is good, and is removed', async (t) => {
  const { app, server } = await buildWithServer(t)
  const { id } = await ada(app)
  await app.outbox.add(app.db, RESET)

  await app.outboxWorker.run()

  t.match(server.received, [{ recipients: ['Ada@example.com'], subject: 'Choose a new password', text: /username "ada"/ }])
  const [mail] = server.received
  t.strictSame(await app.oneTimeTokens.take(app.db, 'password_reset', tokenIn(mail ?? {})), { userId: id, email: 'Ada@example.com', passwordVersion: 0 })
  t.strictSame(await owed(app), [])
})

t.test('one run sends all that is due', async (t) => {
  const { app, server } = await buildWithServer(t)
  const { id: userId } = await ada(app)
  const messages: OutboxMessage[] = [
    { kind: 'email_verification', email: 'ada@example.com' },
    { kind: 'email_change', userId, passwordVersion: 0, insteadOf: 'Ada@example.com', email: 'new@example.com' },
    { kind: 'address_in_use', email: 'ada@example.com' },
    { kind: 'account_deleted', email: 'old@example.com', username: 'ben' }
  ]
  for (const message of messages) await app.outbox.add(app.db, message)

  await app.outboxWorker.run()

  t.strictSame(server.received.map(({ subject, recipients }) => `${String(subject)}: ${recipients.join()}`), [
    'Confirm your e-mail address: Ada@example.com',
    'Confirm your new e-mail address: new@example.com',
    'You have an account already: Ada@example.com',
    'Your account was deleted: old@example.com'
  ])
  t.strictSame(await owed(app), [])
})

t.test('a message that comes to nothing is removed without a word', async (t) => {
  const log = captureLog('trace')
  const app = await build(t, {}, log.logger)
  const before = log.lines.length
  await app.outbox.add(app.db, { kind: 'password_reset', email: 'nobody@example.com' })

  await app.outboxWorker.run()

  t.strictSame(await owed(app), [])
  t.strictSame(log.lines.slice(before), [])
})

t.test('two processes on one database send each mail once', async (t) => {
  const server = await startMailServer(t)
  const env = testEnv(t, { SMTP_URL: server.url })
  const apps = [await build(t, env), await build(t, env)] as const
  for (let count = 0; count < 20; count++) {
    await apps[0].outbox.add(apps[0].db, { kind: 'account_deleted', email: `user-${count}@example.com`, username: 'ben' })
  }
  const shares = apps.map((app) => t.capture(app.mail, 'send', app.mail.send))

  await Promise.all(apps.map(async (app) => { await app.outboxWorker.run() }))

  t.equal(server.received.length, 20)
  t.equal(new Set(server.received.map(({ recipients }) => recipients.join())).size, 20)
  for (const share of shares) t.ok(share().length > 0, 'both had work')
})

t.test('a process that runs already does not begin a second time', async (t) => {
  const app = await build(t)
  const takes = t.capture(app.outbox, 'take', app.outbox.take)

  await Promise.all([app.outboxWorker.run(), app.outboxWorker.run(), app.outboxWorker.run()])
  t.equal(takes().length, 1)

  await app.outboxWorker.run()
  t.equal(takes().length, 1)
})

t.test('a process that listens sends what others owe, too', async (t) => {
  const { app, server } = await buildWithServer(t)
  await ada(app)
  await app.outbox.add(app.db, RESET)
  await app.listen({ host: '127.0.0.1', port: 0 })

  t.match(await server.next(), { recipients: ['Ada@example.com'] })
})

t.test('a process looks for mails every second from when it listens until it stops', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => { mock.timers.reset() })
  const app = await build(t)
  const runs = t.capture(app.outboxWorker, 'run')

  mock.timers.tick(POLL_MS)
  t.equal(runs().length, 0, 'a process that does not listen leaves it to others')
  await app.listen({ host: '127.0.0.1', port: 0 })
  mock.timers.tick(2 * POLL_MS)
  t.equal(runs().length, 2)
  t.equal(POLL_MS, 1000)

  await app.close()
  mock.timers.tick(POLL_MS)
  t.equal(runs().length, 0)
})

t.test('a stop finishes the mail that is being sent and begins no other', async (t) => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  const server = await startMailServer(t, {
    async beforeAnswer () {
      arrive()
      await answered
    }
  })
  const env = testEnv(t, { SMTP_URL: server.url })
  const app = await build(t, env)
  await ada(app)
  await app.outbox.add(app.db, RESET)
  await app.outbox.add(app.db, { kind: 'account_deleted', email: 'old@example.com', username: 'ben' })
  const run = app.outboxWorker.run()
  await arrived

  let closed = false
  const close = app.close().then(() => { closed = true })
  while (!app.isDraining()) await setImmediate()
  t.equal(closed, false)
  answer()
  await Promise.all([run, close])

  t.match(server.received, [{ recipients: ['Ada@example.com'] }])
  const again = await build(t, env)
  t.match(await owed(again), [{ kind: 'account_deleted', attempts: 0 }])
})
