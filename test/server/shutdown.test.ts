import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import t from 'tap'
import { databasePath, readRows } from '../command.ts'
import { FORM_HEADERS, JOHN, temporaryDirectory, testEnv } from '../helper.ts'
import { open } from '../raw-http.ts'
import { startServer, type ServerProcess } from '../server-process.ts'

const ATTEMPTS = 2000
const KEPT_OPEN = 20

/** A log-in that the server has accepted, and whose form arrives when the test wants. */
async function beginLogIn ({ url }: ServerProcess): Promise<{ finish: () => Promise<{ status: number | undefined, body: unknown }> }> {
  const form = new URLSearchParams(JOHN).toString()
  const pending = request(`${url}/token`, { agent: false, method: 'POST', headers: { ...FORM_HEADERS, 'content-length': form.length, expect: '100-continue' } })
  pending.flushHeaders()
  await once(pending, 'continue')
  return {
    async finish () {
      pending.end(form)
      const [response] = await once(pending, 'response') as [IncomingMessage]
      return { status: response.statusCode, body: await json(response) }
    }
  }
}

/** The first answer about readiness that is not 200; undefined when nobody answers. */
async function waitUntilUnready ({ url }: ServerProcess): Promise<number | undefined> {
  let status: number | undefined = 200
  for (let attempt = 0; attempt < ATTEMPTS && status === 200; attempt++) {
    status = await fetch(`${url}/health/ready`).then((response) => response.status, () => undefined)
  }
  return status
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} lets a log-in finish that is in flight, takes no more, and ends with 0`, async (t) => {
    const env = testEnv(t)
    const server = await startServer(t, env)
    const logIn = await beginLogIn(server)

    server.kill(signal)
    const readiness = await waitUntilUnready(server)
    const { status, body } = await logIn.finish()
    const { code, stderr } = await server.exit

    t.ok(readiness === undefined || readiness === 503)
    t.equal(status, 200)
    t.match(body, { token_type: 'bearer', access_token: String, refresh_token: String })
    t.same({ code, stderr }, { code: 0, stderr: '' })
    t.same(readRows(databasePath(env), 'select revoked_at from sessions'), [{ revoked_at: null }])
  })
}

t.test('SIGTERM ends a connection that a client keeps open with an answer, so that no request of a gateway is lost', async (t) => {
  const server = await startServer(t, testEnv(t))
  const connections = await Promise.all(Array.from({ length: KEPT_OPEN }, async () => await open(t, Number(new URL(server.url).port))))
  let answered = 0
  let lost = 0

  await Promise.all(connections.map(async (connection) => {
    for (let count = 1, isLast = false; !isLast; count++) {
      connection.send('GET /health/live HTTP/1.1\r\nhost: latchkey\r\n\r\n')
      const answers = await Promise.race([connection.answers(count), connection.end()])
      if (answers.length < count) lost++
      isLast = answers.length < count || answers.at(-1)?.headers.connection === 'close'
      if (++answered === 10 * KEPT_OPEN) server.kill('SIGTERM')
    }
  }))

  t.equal(lost, 0)
  t.same(await server.exit, { code: 0, stderr: '' })
})

t.test('An error that nobody caught is logged and ends the process with 1', async (t) => {
  const fault = join(temporaryDirectory(t), 'fault.mjs')
  writeFileSync(fault, "process.once('SIGCONT', () => { throw new Error('a fault of the test') })")
  const server = await startServer(t, testEnv(t), { nodeArguments: [`--import=${fault}`] })

  const code = await server.stop('SIGCONT')

  t.equal(code, 1)
  t.match(server.log(), /FATAL: The process stops after an error that nobody caught[\s\S]*a fault of the test/)
})
