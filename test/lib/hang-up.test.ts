import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { hangUpSignal } from '../../lib/hang-up.ts'

interface Asked {
  client: Socket
  response: ServerResponse
  signal: AbortSignal
}

/** A request with a body that the server has read whole. */
async function ask (t: Test): Promise<Asked> {
  const asked = Promise.withResolvers<Omit<Asked, 'client'>>()
  const server = createServer((request, response) => {
    request.resume().once('end', () => { asked.resolve({ response, signal: hangUpSignal(response) }) })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  client.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\nbody')
  return { client, ...await asked.promise }
}

t.test('Nothing is aborted while the client waits, nor by the answer', async (t) => {
  const { client, response, signal } = await ask(t)
  await new Promise(setImmediate)
  t.equal(signal.aborted, false)

  const closed = once(response, 'close')
  response.end('answer')
  await once(client, 'data')
  client.destroy()
  await closed

  t.equal(signal.aborted, false)
})

t.test('A client that goes away before it has its answer aborts', async (t) => {
  const { client, signal } = await ask(t)

  client.destroy()
  await once(signal, 'abort')

  t.equal(signal.aborted, true)
})
