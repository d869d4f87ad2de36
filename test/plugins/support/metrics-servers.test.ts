import t from 'tap'
import { emptySchema, needsPostgres, until } from '../../postgres.ts'
import { startProxy } from '../../postgres-proxy.ts'
import { countedAt, startRedis } from '../../redis.ts'
import { buildMeasured, type Series } from '../../scrape.ts'

const NAMES = ['latchkey_database_connections_used', 'latchkey_database_requests_waiting', 'latchkey_changes_unheard', 'latchkey_redis_away']
const POOL_SIZE = 10

const valuesOf = (series: Series): Array<number | undefined> => NAMES.map((name) => series.get(name))

t.test('with SQLite there is nothing to wait for, and nothing to be away', async (t) => {
  const { scrape } = await buildMeasured(t)

  t.strictSame(valuesOf(await scrape()), [0, 0, 0, 0])
})

t.test('PostgreSQL', async (t) => {
  if (!await needsPostgres(t)) return

  t.test('the connections that are in use are counted, and who waits for one', async (t) => {
    const { app, scrape } = await buildMeasured(t, { DATABASE_URL: await emptySchema(t), LATCHKEY_SECRET: 'a secret of at least 32 characters' })
    await scrape() // counts the live sessions, for a minute
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>()
    const held = Array.from({ length: POOL_SIZE }, async () => { await app.db.transaction().execute(async () => { await isOver }) })
    const late = app.db.selectFrom('roles').select('name').execute()

    t.ok(await until(async () => (await scrape()).get('latchkey_database_connections_used') === POOL_SIZE))
    t.strictSame(valuesOf(await scrape()), [POOL_SIZE, 1, 0, 0])
    end()
    await Promise.all([...held, late])

    t.strictSame(valuesOf(await scrape()), [0, 0, 0, 0])
  })

  t.test('a replica that does not hear of changes says so', async (t) => {
    const { url } = await startProxy(t, await emptySchema(t), { isPooler: true })

    const { scrape } = await buildMeasured(t, { DATABASE_URL: url, LATCHKEY_SECRET: 'a secret of at least 32 characters' })

    t.equal((await scrape()).get('latchkey_changes_unheard'), 1)
  })
})

t.test('a Redis that is away shows', async (t) => {
  const redis = await startRedis(t)
  if (redis === undefined) return
  const { scrape } = await buildMeasured(t, countedAt(redis))
  const atFirst = (await scrape()).get('latchkey_redis_away')

  await redis.stop()

  t.equal(atFirst, 0)
  t.ok(await until(async () => (await scrape()).get('latchkey_redis_away') === 1))
})
