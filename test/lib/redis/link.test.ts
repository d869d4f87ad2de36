import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import type { RedisLink } from '../../../lib/redis/link.ts'
import { RedisAwayError } from '../../../lib/redis/redis-away-error.ts'
import { startProxy } from '../../postgres-proxy.ts'
import { until } from '../../postgres.ts'
import { openLink, startRedis } from '../../redis.ts'

const THERE = 'there'

const ping = async (link: RedisLink): Promise<string> => await link.ask(async (redis) => await redis.ping())
const answers = async (link: RedisLink): Promise<boolean> => await ping(link).then(() => true, () => false)

const server = await startRedis(t)
if (server !== undefined) {
  const { url, client } = server
  const connections = async (): Promise<number> => Number(/total_connections_received:(\d+)/.exec(await client.info('stats'))?.[1])

  t.test('It is asked from the start on, and stops without a word', async (t) => {
    const { link, turns } = await openLink(t, url)

    t.equal(await ping(link), 'PONG')
    await link.stop()
    t.strictSame(turns, [THERE])
    await t.rejects(ping(link), RedisAwayError)
  })

  t.test('The database of the URL is used, and one that is not there is a reason', async (t) => {
    const { link } = await openLink(t, `${url}/3`)
    const missing = await openLink(t, `${url}/99999`)

    t.match(await link.ask(async (redis) => await redis.client('INFO')), / db=3 /)
    t.strictSame(missing.turns, ['ERR DB index is out of range'])
    await t.rejects(ping(missing.link), RedisAwayError)
  })

  t.test('What fails there is a reason not to ask for a second, and then it is asked again', async (t) => {
    const { link, turns } = await openLink(t, url)

    await t.rejects(link.ask(async (redis) => await redis.hget(`${link.prefix}probe`, 'field')), RedisAwayError, 'the probe is no hash')
    await t.rejects(ping(link), RedisAwayError)

    t.ok(await until(async () => await answers(link)))
    t.match(turns, [THERE, /^WRONGTYPE /, THERE])
  })

  t.test('While it answers nothing each waits for a moment at most, and who comes later not at all', async (t) => {
    const { link, turns } = await openLink(t, url)
    const before = await connections()
    await client.client('PAUSE', 1500, 'ALL')

    const early = await Promise.allSettled(Array.from({ length: 50 }, async () => await ping(link)))
    let sent = 0
    const late = await Promise.allSettled(Array.from({ length: 50 }, async () => await link.ask(async (redis) => {
      sent++
      return await redis.ping()
    })))

    t.ok([...early, ...late].every((result) => result.status === 'rejected' && result.reason instanceof RedisAwayError))
    t.equal(sent, 0)
    t.ok(await until(async () => await answers(link)))
    t.strictSame(turns, [THERE, 'no answer within 250 ms', THERE])
    t.ok(await connections() - before <= 4, 'one attempt a second')
  })

  t.test('An answer that came in time is not lost because the event loop is late', async (t) => {
    const { link } = await openLink(t, url)
    const answer = ping(link)

    const end = performance.now() + 400
    while (performance.now() < end);

    t.equal(await answer, 'PONG')
  })

  t.test('A connection that is cut is replaced, and nobody has to ask for that', async (t) => {
    const proxy = await startProxy(t, url)
    const { link, turns } = await openLink(t, proxy.url)

    const cutAt = performance.now()
    proxy.cut()

    t.ok(await until(() => turns.length === 3))
    t.ok(performance.now() - cutAt > 990, 'after it was left alone for a second')
    t.match(turns, [THERE, /./, THERE])
    t.equal(await ping(link), 'PONG')
  })

  t.test('Of those who wait when the connection is cut nobody waits on', async (t) => {
    const proxy = await startProxy(t, url)
    const { link } = await openLink(t, proxy.url)
    proxy.freeze()
    const waiting = Promise.allSettled([ping(link), ping(link)])

    proxy.cut()

    t.match(await waiting, [{ status: 'rejected', reason: RedisAwayError }, { status: 'rejected', reason: RedisAwayError }])
  })

  t.test('What can only be read is not used, and told of once', async (t) => {
    await client.replicaof('127.0.0.1', '1')
    const { link, turns } = await openLink(t, url)
    await t.rejects(ping(link), RedisAwayError)
    const before = await connections()
    t.ok(await until(async () => await connections() >= before + 2), 'it is tried again')

    t.match(turns, [/^READONLY /])
    await client.replicaof('NO', 'ONE')
    t.ok(await until(async () => await answers(link)))
    t.match(turns, [/^READONLY /, THERE])
  })
}

t.test('Who accepts a connection and says nothing is no Redis', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { silent.close() })

  const { link, turns } = await openLink(t, `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`)

  await t.rejects(ping(link), RedisAwayError)
  t.match(turns, [/^no answer within \d+ ms$/])
})

t.test('Where nothing is, the start goes on', async (t) => {
  const { link, turns } = await openLink(t, 'redis://127.0.0.1:1')

  await t.rejects(ping(link), RedisAwayError)
  t.match(turns, [/ECONNREFUSED/])
})
