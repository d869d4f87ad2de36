import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { auditEvents, lockDatabase } from '../../helper.ts'
import { formRequest, listen, open } from '../../raw-http.ts'
import { buildWithAda, countBegun, counts, failFrom, HOUR, MINUTE, PASSWORD, tryFrom } from '../../throttles.ts'
import { places } from './places.ts'

const HERE = '203.0.113.9'
// Nobody is sent away for want of time.
const PATIENT = { HASH_QUEUE_MS: '60000' }

const countStatuses = (statuses: number[]): Record<number, number> =>
  Object.fromEntries([...new Set(statuses)].map((status) => [status, statuses.filter((other) => other === status).length]))

for (const { name, env } of places) {
  t.test(name, async (t) => {
    t.test('of fifty wrong ones at a time before the last free failure exactly one is checked', async (t) => {
      const { app } = await buildWithAda(t, { ...PATIENT, ...env() })
      await failFrom(app, HERE, 4)
      const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

      const responses = await Promise.all(Array.from({ length: 50 }, async () => await tryFrom(app, HERE)))

      t.strictSame(countStatuses(responses.map(({ statusCode }) => statusCode)), { 400: 1, 429: 49 })
      t.ok(responses.every(({ statusCode, headers }) => statusCode === 400 || headers['retry-after'] === '1'))
      t.equal(hashes().length, 50, 'they had waited for a hash')
      t.equal((await auditEvents(app, 'login')).length, 5)
    })

    t.test('of fifty right ones at a time before the last free failure those who are refused are told to come again', async (t) => {
      const { app } = await buildWithAda(t, { ...PATIENT, ...env() })
      await failFrom(app, HERE, 4)

      const responses = await Promise.all(Array.from({ length: 50 }, async () => await tryFrom(app, HERE, PASSWORD)))

      const { 200: passed = 0, 429: refused = 0 } = countStatuses(responses.map(({ statusCode }) => statusCode))
      t.ok(passed >= 1)
      t.equal(passed + refused, 50)
      t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
    })

    t.test('of fifty at a time when a wait is over exactly one is checked', async (t) => {
      const { app, clock } = await buildWithAda(t, { ...PATIENT, ...env() })
      await failFrom(app, HERE, 5)
      clock.advance(1000)

      const responses = await Promise.all(Array.from({ length: 50 }, async () => await tryFrom(app, HERE)))

      t.strictSame(countStatuses(responses.map(({ statusCode }) => statusCode)), { 400: 1, 429: 49 })
      t.equal((await auditEvents(app, 'login')).length, 6)
    })

    t.test('of fifty wrong ones at a time no more are checked than are free, and a few that were in the hasher at once', async (t) => {
      const { app } = await buildWithAda(t, { ...PATIENT, ...env(), HASH_CONCURRENCY: '2' })

      const responses = await Promise.all(Array.from({ length: 50 }, async () => await tryFrom(app, HERE)))

      const { 400: checked = 0, 429: refused = 0 } = countStatuses(responses.map(({ statusCode }) => statusCode))
      t.equal(checked + refused, 50)
      t.ok(checked <= 5 + 2 * 2, `${checked} were checked`)
      t.equal((await counts(app)).find(({ rule }) => rule === 'account_network')?.failures, checked)
    })

    t.test('failures that wait for the database count meanwhile', async (t) => {
      const { app } = await buildWithAda(t, { ...PATIENT, ...env(), HASH_CONCURRENCY: '1' })
      const release = lockDatabase(t, app)
      const begun = countBegun(t, app)

      const responses = Promise.all(Array.from({ length: 50 }, async () => await tryFrom(app, HERE)))
      while (begun() < 50) await setImmediate()
      release()

      const { 400: checked = 0, 429: refused = 0 } = countStatuses((await responses).map(({ statusCode }) => statusCode))
      t.equal(checked + refused, 50)
      t.ok(checked <= 5 + 2, `${checked} were checked`)
    })

    t.test('fifty good log-ins at a time all succeed, again and again', async (t) => {
      const { app, clock } = await buildWithAda(t, { ...PATIENT, ...env() })

      for (let round = 0; round < 4; round++) {
        const responses = await Promise.all(Array.from({ length: 50 }, async (_, index) => await tryFrom(app, HERE, PASSWORD, index % 2 === 0 ? 'ada' : 'ada@example.com')))
        t.strictSame(countStatuses(responses.map(({ statusCode }) => statusCode)), { 200: 50 })
        clock.advance(HOUR)
      }

      t.strictSame(await counts(app), [])
    })

    t.test('eight good log-ins at a time succeed also after a failure', async (t) => {
      const { app } = await buildWithAda(t, { ...PATIENT, ...env(), HASH_CONCURRENCY: '2' })
      await failFrom(app, HERE, 1)

      const responses = await Promise.all(Array.from({ length: 8 }, async () => await tryFrom(app, HERE, PASSWORD)))

      t.strictSame(countStatuses(responses.map(({ statusCode }) => statusCode)), { 200: 8 })
    })

    t.test('requests that are sent at once over one connection are counted one by one', async (t) => {
      const { app } = await buildWithAda(t, { ...PATIENT, ...env(), HASH_CONCURRENCY: '1' })
      const connection = await open(t, await listen(app))
      const sendMany = (from: number): void => {
        const bodies = Array.from({ length: 75 }, (_, index) => `grant_type=password&username=user${from + index}&password=wrong`)
        connection.send(bodies.map((body) => formRequest('/token', body, `x-forwarded-for: ${HERE}\r\n`)).join(''))
      }

      for (let sent = 0; sent < 300; sent += 75) {
        sendMany(sent)
        await connection.answers(sent + 75)
      }

      const answers = await connection.answers(300)
      t.strictSame(countStatuses(answers.map(({ status }) => status)), { 400: 100, 429: 200 })
      t.equal((await auditEvents(app, 'login')).length, 100)
    })

    t.test('what finds no time for its hash is counted nowhere', async (t) => {
      const { app } = await buildWithAda(t, { ...env(), HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '0', ARGON2_MEMORY_KIB: '65536' })
      const first = tryFrom(app, HERE, PASSWORD)

      const responses = await Promise.all(Array.from({ length: 20 }, async () => await tryFrom(app, HERE)))

      t.strictSame(countStatuses(responses.map(({ statusCode }) => statusCode)), { 503: 20 })
      t.equal((await first).statusCode, 200)
      t.strictSame(await counts(app), [])
    })

    t.test('a log-in reads the counters once, and again when a failure was counted before its hash', async (t) => {
      const { app } = await buildWithAda(t, { ...PATIENT, ...env() })
      const { verify } = app.passwordHasher
      const meanwhile = [async () => {}, async () => await tryFrom(app, HERE)]
      t.intercept(app.passwordHasher, 'verify', {
        value: async (...args: Parameters<typeof verify>) => {
          await meanwhile.shift()?.()
          return await verify(...args)
        }
      })
      const reads = t.capture(app.throttles, 'read', app.throttles.read)

      await tryFrom(app, HERE, PASSWORD)
      t.equal(reads().length, 1)

      await tryFrom(app, HERE, PASSWORD)
      t.equal(reads().length, 2 + 1, 'with that of the failure')
    })

    t.test('a failure that can not be counted keeps its place for a minute', async (t) => {
      const { app, clock } = await buildWithAda(t, { ...PATIENT, ...env() })
      await failFrom(app, HERE, 4)
      const count = t.intercept(app.throttles, 'countFailure', { value: async () => { throw new Error('disk full') } })
      t.strictSame(await failFrom(app, HERE, 3), [500, 429, 429])
      t.equal((await auditEvents(app, 'login')).length, 4, 'nothing is recorded that is not counted')

      count.restore()
      t.strictSame(await failFrom(app, HERE, 1), [429])
      clock.advance(MINUTE)

      t.strictSame(await failFrom(app, HERE, 2), [400, 429])
    })
  })
}
