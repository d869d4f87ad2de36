import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { build, canRun } from '../helper.ts'
import { until } from '../postgres.ts'
import { exchange, listen, request } from '../raw-http.ts'

const OPEN_FILES = '/proc/self/fd'

t.test('nothing moves on a connection for half a minute, beyond the longest wait for a hash, and it is closed', async (t) => {
  const { server } = await build(t, { HASH_QUEUE_MS: '5000' })

  t.equal(server.timeout, 35_000)
})

t.test('a connection on which nothing is asked is kept longer than gateways keep theirs', async (t) => {
  const { server } = await build(t)

  t.equal(server.keepAliveTimeout, 72_000)
})

t.test('who does not read his answers is cut off, and they are forgotten', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  // The bound itself, shorter than the settings allow.
  app.server.setTimeout(100)
  const accepted = once(app.server, 'connection')
  const client = connect(port, '127.0.0.1').pause()
  t.teardown(() => { client.destroy() })
  const [socket] = await accepted as [Socket]

  // More than all buffers of the operating system hold.
  client.write('GET /openapi.json HTTP/1.1\r\nhost: latchkey\r\n\r\n'.repeat(101))
  await once(socket, 'close')

  t.ok(socket.bytesWritten > 0)
  t.equal((await exchange(t, port, request('GET /health/live')))[0]?.status, 200, 'others are served')
})

t.test('No file is kept open for those who do not read it', async (t) => {
  if (!canRun(t, 'A list of open files', existsSync(OPEN_FILES))) return
  const port = await listen(await build(t))
  const client = connect(port, '127.0.0.1').pause()
  t.teardown(() => { client.destroy() })

  client.write('GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: latchkey\r\n\r\n'.repeat(50))
  await exchange(t, port, request('GET /docs/static/swagger-ui-bundle.js'))

  t.ok(await until(() => !openFiles().some((path) => path.endsWith('swagger-ui-bundle.js'))))
})

function openFiles (): string[] {
  return readdirSync(OPEN_FILES).flatMap((descriptor) => {
    try {
      return [readlinkSync(`${OPEN_FILES}/${descriptor}`)]
    } catch {
      return [] // it was closed meanwhile
    }
  })
}
