import t from 'tap'
import { JOHN, logIn, readProfile, refresh, requestToken, stopClock } from '../../helper.ts'
import { buildMeasured, growth, type Series } from '../../scrape.ts'

const ANSWERS = 'latchkey_http_request_duration_seconds_count'
const DAY = 24 * 60 * 60 * 1000

t.test('each answer is measured by its method, route and status', async (t) => {
  const { app, scrape } = await buildMeasured(t)
  const { access_token: token } = await logIn(app)
  const before = await scrape()

  await readProfile(app, token)
  await readProfile(app, token)
  await readProfile(app, 'broken')
  await app.inject({ method: 'DELETE', url: '/users/me/sessions/00000000-0000-7000-8000-000000000000?secret=CANARY', headers: { authorization: `Bearer ${token}` } })
  await app.inject('/nothing')

  t.strictSame(growth(before, await scrape(), ANSWERS), {
    '{method="GET",route="/users/me",status="200"}': 2,
    '{method="GET",route="/users/me",status="401"}': 1,
    '{method="DELETE",route="/users/me/sessions/:id",status="404"}': 1,
    '{method="GET",route="other",status="404"}': 1
  })
})

/** The upper bounds by which the times are told apart. */
function boundsOf (series: Series, name: string): Set<string | undefined> {
  return new Set([...series.keys()].filter((key) => key.startsWith(`${name}_bucket{`)).map((key) => /le="([^"]+)"/.exec(key)?.[1]))
}

t.test('a profile is told from a log-in by its time, and a log-in from one that had to wait', async (t) => {
  const { app, scrape } = await buildMeasured(t)

  await logIn(app)

  const series = await scrape()
  t.strictSame([...boundsOf(series, 'latchkey_http_request_duration_seconds')], ['0.001', '0.0025', '0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf'])
  t.strictSame([...boundsOf(series, 'latchkey_hash_wait_seconds')], ['0', '0.01', '0.05', '0.1', '0.25', '0.5', '1', '2', '5', '+Inf'])
})

t.test('requests for tokens are there before the first one comes', async (t) => {
  const { scrape } = await buildMeasured(t)

  const series = await scrape()

  for (const type of ['password', 'refresh_token', 'other']) {
    for (const outcome of ['issued', 'refused', 'throttled', 'overloaded', 'failed']) t.equal(series.get(`latchkey_token_requests_total{grant_type="${type}",outcome="${outcome}"}`), 0, `${type}, ${outcome}`)
  }
})

t.test('requests for tokens are counted by what became of them', async (t) => {
  const { app, scrape } = await buildMeasured(t)
  const { refresh_token: token } = await logIn(app)
  const before = await scrape()

  await logIn(app)
  await requestToken(app, { ...JOHN, password: 'wrong' })
  await refresh(app, token)
  await requestToken(app, { grant_type: 'CANARY' })
  await requestToken(app, 'grant_type=password&grant_type=password')
  await app.inject({ method: 'POST', url: '/token', headers: { 'content-type': 'text/plain' }, payload: 'a' })
  await readProfile(app, token)

  t.strictSame(growth(before, await scrape(), 'latchkey_token_requests_total'), {
    '{grant_type="password",outcome="issued"}': 1,
    '{grant_type="password",outcome="refused"}': 1,
    '{grant_type="refresh_token",outcome="issued"}': 1,
    '{grant_type="other",outcome="refused"}': 3
  })
})

t.test('what is audited is counted: the use of an old refresh token, for one', async (t) => {
  const { app, scrape } = await buildMeasured(t)
  const { advance } = stopClock(app)
  const { refresh_token: stolen } = await logIn(app)
  await refresh(app, stolen)
  advance(60_000)
  const before = await scrape()

  await refresh(app, stolen)

  t.equal(before.get('latchkey_audit_events_total{type="refresh_token_reuse",outcome="failure"}'), 0, 'it is there before it happens')
  t.strictSame(growth(before, await scrape(), 'latchkey_audit_events_total'), { '{type="refresh_token_reuse",outcome="failure"}': 1 })
})

t.test('password hashes are counted with their waits, and so are those that were refused', async (t) => {
  const { app, scrape } = await buildMeasured(t, { HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '0' })
  const before = await scrape()

  const statuses = await Promise.all([1, 2, 3].map(async () => (await requestToken(app)).statusCode))

  t.strictSame(statuses.toSorted(), [200, 503, 503])
  const after = await scrape()
  t.strictSame(growth(before, after, 'latchkey_hash_wait_seconds_count'), { '': 1 })
  t.strictSame(growth(before, after, 'latchkey_hash_refusals_total'), { '': 2 })
  t.strictSame(growth(before, after, 'latchkey_token_requests_total'), { '{grant_type="password",outcome="issued"}': 1, '{grant_type="password",outcome="overloaded"}': 2 })
  t.equal(after.get('latchkey_hash_queue_length'), 0)
})

t.test('the length of the queue is what waits when it is asked for', async (t) => {
  const { app, scrape } = await buildMeasured(t, { HASH_CONCURRENCY: '1' })
  t.intercept(app.passwordHasher.queue, 'waiting', { value: 7 })

  t.equal((await scrape()).get('latchkey_hash_queue_length'), 7)
})

t.test('the key says how old it is, and how old it may get', async (t) => {
  const { app, scrape } = await buildMeasured(t, { KEY_ROTATION_DAYS: '30' })
  const { advance } = stopClock(app, app.keyRing.current().activatesAt)

  advance(2 * DAY)

  const series = await scrape()
  t.equal(series.get('latchkey_signing_key_age_seconds'), 2 * DAY / 1000)
  t.equal(series.get('latchkey_signing_key_rotation_seconds'), 30 * DAY / 1000)
})

t.test('live sessions are counted at most once a minute', async (t) => {
  const { app, scrape } = await buildMeasured(t)
  const { advance } = stopClock(app)
  const live = async (): Promise<number | undefined> => (await scrape()).get('latchkey_sessions_live')

  t.equal(await live(), 0)
  await logIn(app)
  t.equal(await live(), 0)
  advance(60_000)
  t.equal(await live(), 1)
})

t.test('the other figures are there when the sessions can not be counted, and the log says why', async (t) => {
  const { app, scrape, log } = await buildMeasured(t)
  t.intercept(app.liveSessions, 'count', { value: async () => { throw new Error('the database is away') } })

  const series = await scrape()

  t.ok(Number.isNaN(series.get('latchkey_sessions_live')))
  t.equal(series.get('latchkey_hash_queue_length'), 0)
  t.match(log.lines.at(-1), { level: 40, msg: 'The sessions could not be counted', err: { message: 'the database is away' } })
})

t.test('the process tells of itself: the event loop, memory, processor', async (t) => {
  const { scrape } = await buildMeasured(t)

  const series = await scrape()

  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_start_time_seconds', 'nodejs_heap_size_used_bytes']) t.ok(series.has(name), name)
})
