import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { databasePath, readRows } from '../command.ts'
import { build, createUser, temporaryDirectory, testEnv } from '../helper.ts'
import { startMailServer, tokenIn } from '../mail-server.ts'
import { startServer } from '../server-process.ts'

const LEASE_MS = 60_000

t.test('a mail whose sender is killed comes from the next process, once the lease is over', async (t) => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const silent = await startMailServer(t, {
    async beforeAnswer () {
      arrive()
      await new Promise(() => {})
    }
  })
  const server = await startMailServer(t)
  const env = testEnv(t)
  const app = await build(t, env)
  await createUser(app, { email: 'ada@example.com' })
  await app.outbox.add(app.db, { kind: 'password_reset', email: 'ada@example.com' })
  const readOutbox = () => readRows(databasePath(env), 'select kind, attempts from outbox')
  const later = join(temporaryDirectory(t), 'later.mjs')
  writeFileSync(later, `const now = Date.now; Date.now = () => now() + ${LEASE_MS}`)

  const killed = await startServer(t, { ...env, SMTP_URL: silent.url })
  await arrived
  t.equal(await killed.stop('SIGKILL'), null)
  t.same(readOutbox(), [{ kind: 'password_reset', attempts: 1 }])

  await (await build(t, { ...env, SMTP_URL: server.url })).outboxWorker.run()
  t.same(server.received, [], 'the lease of the killed process is not over')

  const next = await startServer(t, { ...env, SMTP_URL: server.url }, { nodeArguments: [`--import=${later}`] })
  const mail = await server.next()
  t.match(mail.recipients, ['ada@example.com'])
  t.match(tokenIn(mail), /./)
  t.equal(await next.stop('SIGTERM'), 0)
  t.same(readOutbox(), [])
  t.equal(server.received.length, 1)
})
