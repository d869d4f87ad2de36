import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { OutboxMessage } from '../../../lib/outbox-message.ts'
import { build } from '../../helper.ts'
import { startMailServer } from '../../mail-server.ts'
import { ada, owed, RESET } from './outbox.ts'

const NOBODY = { kind: 'password_reset', email: 'nobody@example.com' } as const

/** Sends a mail, and gives the run as it is with a message that comes to nothing, and one more mail behind it. */
async function runUntilPause (t: Test, beforePause = async () => {}): Promise<{ app: FastifyInstance, sent: () => number, run: Promise<void> }> {
  t.teardown(() => { mock.timers.reset() })
  // The mail server waits itself before it begins to talk.
  const server = await startMailServer(t, { beforeAnswer: async () => { if (server.received.length === 0) mock.timers.enable({ apis: ['setTimeout'] }) } })
  const app = await build(t, { SMTP_URL: server.url })
  await ada(app)
  for (const message of [RESET, NOBODY, RESET]) await app.outbox.add(app.db, message)
  const { prepare } = app.dueMails
  const messages = t.capture(app.dueMails, 'prepare', async (message: OutboxMessage) => {
    const due = await prepare(message)
    if (due === undefined) await beforePause()
    return due
  })

  const run = app.outboxWorker.run()
  let prepared = 0
  while (prepared < 2) {
    await setImmediate()
    prepared += messages().length
  }
  for (let round = 0; round < 200; round++) await setImmediate()
  return { app, sent: () => server.received.length, run }
}

t.test('who waits for the next mail does not see that there was none before it', async (t) => {
  const { app, sent, run } = await runUntilPause(t)

  t.match(await owed(app), [{ details: /nobody/ }, { details: /ada/ }], 'nothing to send takes as long as the mail before')
  t.equal(sent(), 1)
  mock.timers.tick(60_000)
  mock.timers.reset()
  await run

  t.strictSame(await owed(app), [])
  t.equal(sent(), 2)
})

t.test('a stop does not wait until a message that comes to nothing has taken its time', async (t) => {
  const { app, sent, run } = await runUntilPause(t)

  await app.close()
  await run

  t.equal(sent(), 1)
})

t.test('a stop that comes just before does not wait for it either', async (t) => {
  const { promise: looking, resolve: look } = Promise.withResolvers<void>()
  const { promise: found, resolve: find } = Promise.withResolvers<void>()
  const { app, sent, run } = await runUntilPause(t, async () => {
    look()
    await found
  })
  await looking

  const close = app.close()
  while (!app.isDraining()) await setImmediate()
  find()
  await Promise.all([close, run])

  t.equal(sent(), 1)
})

t.test('a message that comes to nothing takes no time before a mail was sent', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const app = await build(t)
  await app.outbox.add(app.db, NOBODY)

  const run = app.outboxWorker.run()
  for (let round = 0; round < 200; round++) await setImmediate()
  mock.timers.tick(0)
  await run

  t.strictSame(await owed(app), [])
})
