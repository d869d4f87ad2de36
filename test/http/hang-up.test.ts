import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { build, JOHN, logIn } from '../helper.ts'
import { until } from '../postgres.ts'
import { formRequest, listen, open } from '../raw-http.ts'

const SIGN_UP = JSON.stringify({ username: 'ada', email: 'ada@example.com', password: 'a passphrase of the test' })

async function countEvents ({ db }: FastifyInstance): Promise<number> {
  return (await db.selectFrom('audit_events').select('id').execute()).length
}

/** A service whose only slot for hashes is taken until it is freed. */
async function buildBusy (t: Test, requestOf: (app: FastifyInstance) => Promise<string>) {
  const app = await build(t, { HASH_CONCURRENCY: '1', REGISTRATION: 'open' })
  const request = await requestOf(app)
  const eventsBefore = await countEvents(app)
  const { promise: isFree, resolve } = Promise.withResolvers<void>()
  const hash = app.passwordHasher.hash('a password of the test', { network: 'the test', isKnown: true, begin: async () => { await isFree } })
  const free = async (): Promise<unknown> => {
    resolve()
    return await hash
  }
  return { app, request, eventsBefore, waiting: () => app.passwordHasher.queue.waiting, free }
}

const CHANGE = JSON.stringify({ current_password: JOHN.password, new_password: 'a passphrase of the test' })

const requests: Record<string, (app: FastifyInstance) => Promise<string>> = {
  'POST /token': async () => formRequest('/token', new URLSearchParams(JOHN).toString()),
  'POST /signup': async () => `POST /signup HTTP/1.1\r\nhost: latchkey\r\ncontent-type: application/json\r\ncontent-length: ${SIGN_UP.length}\r\n\r\n${SIGN_UP}`,
  'PUT /users/me/password': async (app) => `PUT /users/me/password HTTP/1.1\r\nhost: latchkey\r\nauthorization: Bearer ${(await logIn(app)).access_token}\r\ncontent-type: application/json\r\ncontent-length: ${CHANGE.length}\r\n\r\n${CHANGE}`
}

for (const [name, requestOf] of Object.entries(requests)) {
  t.test(`Who hangs up during ${name} gives the place in the hash queue back, and nothing is done or counted`, async (t) => {
    const { app, request, eventsBefore, waiting, free } = await buildBusy(t, requestOf)
    const connection = await open(t, await listen(app))

    connection.send(request)
    t.ok(await until(() => waiting() === 1))
    connection.reset()

    t.ok(await until(() => waiting() === 0))
    await free()
    t.equal(await countEvents(app), eventsBefore)
    t.strictSame(await app.db.selectFrom('throttles').selectAll().execute(), [])
  })
}
