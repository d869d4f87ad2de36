import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { auditEvents, build, JOHN } from '../helper.ts'
import { until } from '../postgres.ts'
import { formRequest, listen, open } from '../raw-http.ts'

const SIGN_UP = JSON.stringify({ username: 'ada', email: 'ada@example.com', password: 'a passphrase of the test' })

/** A service whose only slot for hashes is taken until it is freed. */
async function buildBusy (t: Test): Promise<{ app: FastifyInstance, waiting: () => number, free: () => Promise<unknown> }> {
  const app = await build(t, { HASH_CONCURRENCY: '1', REGISTRATION: 'open' })
  const { promise: isFree, resolve } = Promise.withResolvers<void>()
  const hash = app.passwordHasher.hash('a password of the test', { network: 'the test', isKnown: true, begin: async () => { await isFree } })
  const free = async (): Promise<unknown> => {
    resolve()
    return await hash
  }
  return { app, waiting: () => app.passwordHasher.queue.waiting, free }
}

const requests = {
  'POST /token': formRequest('/token', new URLSearchParams(JOHN).toString()),
  'POST /signup': `POST /signup HTTP/1.1\r\nhost: latchkey\r\ncontent-type: application/json\r\ncontent-length: ${SIGN_UP.length}\r\n\r\n${SIGN_UP}`
}

for (const [name, request] of Object.entries(requests)) {
  t.test(`Who hangs up during ${name} gives the place in the hash queue back, and nothing is done`, async (t) => {
    const { app, waiting, free } = await buildBusy(t)
    const connection = await open(t, await listen(app))

    connection.send(request)
    t.ok(await until(() => waiting() === 1))
    connection.reset()

    t.ok(await until(() => waiting() === 0))
    await free()
    t.strictSame([...await auditEvents(app, 'login'), ...await auditEvents(app, 'user_signed_up')], [])
  })
}
