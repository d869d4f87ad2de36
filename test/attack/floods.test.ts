import t from 'tap'
import { exchange, open, request, type Connection } from '../raw-http.ts'
import { startTarget, tokenRequest } from './target.ts'

const LIVE = 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\n\r\n'
const SLOW_HEADERS = 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\nx-a: '
const SLOW_BODY = 'POST /token HTTP/1.1\r\nhost: latchkey\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\n'
const DRIP_EVERY_MS = 500

t.test('under a flood of', async (t) => {
  const target = await startTarget(t)
  const openMany = async (count: number): Promise<Connection[]> => await Promise.all(Array.from({ length: count }, async () => await open(t, target.port)))

  t.test('large passwords each is refused, and the owner logs in', async (t) => {
    const text = tokenRequest(`grant_type=password&username=ada&password=${'x'.repeat(1_000_000)}`)

    const answers = await Promise.all(Array.from({ length: 50 }, async () => await exchange(t, target.port, text)))

    t.ok(answers.every(([answer]) => answer === undefined || answer.status === 413))
    t.ok(answers.some(([answer]) => answer?.status === 413))
    t.equal((await target.logIn()).scope, 'profile account')
    await target.isUnharmed(t, answers.flat())
  })

  t.test('connections that do nothing others are served', async (t) => {
    const idle = await openMany(2000)

    t.match(await exchange(t, target.port, request('GET /health/ready')), [{ status: 200 }])
    idle.forEach((connection) => { connection.reset() })
  })

  t.test('requests that are sent at once on a connection all are answered in their order', async (t) => {
    const [connection] = await openMany(1) as [Connection]

    for (let times = 1; times <= 10; times++) {
      connection.send((LIVE + LIVE.replace('/health/live', '/nothing')).repeat(50))
      await connection.answers(100 * times)
    }

    const statuses = (await connection.answers(1000)).map(({ status }) => status)
    t.same(statuses, Array.from({ length: 500 }, () => [200, 404]).flat())
  })

  t.test('requests whose answers nobody waits for the connection is ended and others are served', async (t) => {
    const greedy = await openMany(20)
    greedy.forEach((connection) => { connection.send('GET /openapi.json HTTP/1.1\r\nhost: latchkey\r\n\r\n'.repeat(5000)) })

    await Promise.all(greedy.map(async (connection) => { await connection.end().catch(() => {}) }))

    await target.isUnharmed(t, [])
  })

  t.test('requests that never end each is ended in time and others are served meanwhile', async (t) => {
    const slow = await openMany(200)
    slow.forEach((connection, index) => { connection.send(index % 2 === 0 ? SLOW_HEADERS : SLOW_BODY) })
    const drip = setInterval(() => { slow.forEach((connection) => { connection.send('x') }) }, DRIP_EVERY_MS)
    t.teardown(() => { clearInterval(drip) })

    t.match(await exchange(t, target.port, request('GET /health/ready')), [{ status: 200 }])
    const answers = (await Promise.all(slow.map(async (connection) => await connection.end()))).flat()

    t.ok(answers.every(({ status }) => status === 408))
    t.ok(answers.length > 0)
    await target.isUnharmed(t, answers)
  })
})
