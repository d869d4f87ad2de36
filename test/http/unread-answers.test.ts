import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { build } from '../helper.ts'
import { exchange, listen, request } from '../raw-http.ts'

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
