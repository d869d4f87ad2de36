import t from 'tap'
import { auditEvents, build, logIn, refresh, requestToken, stopClock, testEnv } from '../../helper.ts'
import { buildWithAda, counts, failFrom, HOUR, isSlowDown, MINUTE, PASSWORD, SECOND, tryFrom } from '../../throttles.ts'
import { places } from './places.ts'

const HERE = '203.0.113.9'
const OUT_OF_BAND = { date: '', 'retry-after': '' }

for (const { name, env } of places) {
  t.test(name, async (t) => {
    t.test('five failures are free, and after that the wait doubles up to a quarter of an hour', async (t) => {
      const { app, clock } = await buildWithAda(t, env())
      t.strictSame(await failFrom(app, HERE, 5), [400, 400, 400, 400, 400])

      for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
        isSlowDown(t, await tryFrom(app, HERE), seconds)
        clock.advance(seconds * SECOND - 1)
        isSlowDown(t, await tryFrom(app, HERE), 1)
        clock.advance(1)
        t.strictSame(await failFrom(app, HERE, 1), [400], `after ${seconds} s`)
      }
    })

    t.test('while there is a wait, the right password and the wrong one, somebody and nobody have one answer and cost no hash', async (t) => {
      const { app } = await buildWithAda(t, env())
      for (const username of ['ada', 'eve', 'ada@example.com', 'eve@example.com', 'not a name!']) await failFrom(app, HERE, 5, username)
      const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

      const reference = await tryFrom(app, HERE)
      const others = [
        await tryFrom(app, HERE, PASSWORD), await tryFrom(app, HERE, 'wrong', 'eve'), await tryFrom(app, HERE, PASSWORD, 'ada@example.com'),
        await tryFrom(app, HERE, 'wrong', 'eve@example.com'), await tryFrom(app, HERE, 'wrong', 'not a name!')
      ]

      isSlowDown(t, reference, 1)
      for (const response of others) {
        t.equal(response.body, reference.body)
        t.strictSame({ ...response.headers, ...OUT_OF_BAND }, { ...reference.headers, ...OUT_OF_BAND })
      }
      t.equal(hashes().length, 0)
    })

    t.test('somebody and nobody get the same answers all along, with the same waits', async (t) => {
      const { app, clock } = await buildWithAda(t, env())
      const seen: Record<string, string[]> = { ada: [], eve: [] }

      for (let count = 0; count < 30; count++) {
        for (const [username, answers] of Object.entries(seen)) {
          const { statusCode, headers, body } = await tryFrom(app, HERE, 'wrong', username)
          answers.push(`${statusCode} ${String(headers['retry-after'])} ${body}`)
        }
        clock.advance(7 * SECOND)
      }

      t.strictSame(seen.ada, seen.eve)
      t.ok(new Set(seen.ada).size > 3)
    })

    t.test('a log-in makes the failures from there forgotten, of the name and of the user', async (t) => {
      const { app } = await buildWithAda(t, env())
      await failFrom(app, HERE, 2)
      await failFrom(app, HERE, 2, 'ada@example.com')

      t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)

      t.match((await counts(app)).filter(({ rule }) => rule === 'account_network'), [{ failures: 2 }], 'only the address is counted still')
      t.strictSame(await failFrom(app, HERE, 6), [400, 400, 400, 400, 400, 429])
    })

    t.test('a log-in makes no failures from elsewhere forgotten', async (t) => {
      const { app } = await buildWithAda(t, env())
      await failFrom(app, HERE, 5)

      t.equal((await tryFrom(app, '203.0.113.10', PASSWORD)).statusCode, 200)

      isSlowDown(t, await tryFrom(app, HERE, PASSWORD), 1)
    })

    t.test('an hour after the last failure it is forgotten, and no sooner', async (t) => {
      const { app, clock } = await buildWithAda(t, env())
      await failFrom(app, HERE, 5)

      clock.advance(HOUR - 1)
      await failFrom(app, HERE, 1)
      isSlowDown(t, await tryFrom(app, HERE), 2)
      clock.advance(HOUR)
      t.strictSame(await failFrom(app, HERE, 6), [400, 400, 400, 400, 400, 429])
    })

    t.test('another account from there, and the account from elsewhere, are free', async (t) => {
      const { app } = await buildWithAda(t, env())
      await failFrom(app, HERE, 6)

      t.equal((await tryFrom(app, HERE, 'secret', 'johndoe')).statusCode, 200)
      t.equal((await tryFrom(app, '203.0.113.10', PASSWORD)).statusCode, 200)
    })

    t.test('a wait holds up nobody who is logged in', async (t) => {
      const { app } = await buildWithAda(t, env())
      const tokens = await logIn(app, { grant_type: 'password', username: 'ada', password: PASSWORD })
      await failFrom(app, '127.0.0.1', 6)

      const refreshed = await refresh(app, tokens.refresh_token)

      t.equal(refreshed.statusCode, 200)
      t.equal((await requestToken(app, { grant_type: 'refresh_token', refresh_token: 'lkr_wrong' })).statusCode, 400)
    })

    t.test('a wait is audited once when it begins, and the refusals after that are not', async (t) => {
      const { app, id } = await buildWithAda(t, env())

      await failFrom(app, HERE, 9)

      t.equal((await auditEvents(app, 'login')).length, 5)
      t.match(await auditEvents(app, 'login_throttled'), [{ outcome: 'failure', user_id: id, ip: HERE, client_id: 'first-party', details: '{"rule":"account_network"}' }])
      t.equal((await auditEvents(app, 'login_throttled')).length, 1)
    })

    t.test('a wait goes on after a restart', async (t) => {
      const all = testEnv(t, env())
      const first = await build(t, all)
      const { now } = first.clock
      stopClock(first, now())
      for (let count = 0; count < 6; count++) await requestToken(first, { grant_type: 'password', username: 'johndoe', password: 'wrong' })
      await first.close()

      const second = await build(t, all)
      stopClock(second, first.clock.now())

      isSlowDown(t, await requestToken(second), 1)
    })

    t.test('a count whose clock was a day ahead is no ban', async (t) => {
      const { app, clock } = await buildWithAda(t, env())
      clock.advance(24 * HOUR)
      await failFrom(app, HERE, 8)
      clock.advance(-24 * HOUR)

      t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
      clock.advance(MINUTE)
      t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
    })
  })
}

t.test('failures are forgotten also by a log-in from a network that is known already', async (t) => {
  const { app } = await buildWithAda(t)
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
  t.equal((await tryFrom(app, HERE)).statusCode, 400)
  const before = await counts(app)

  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)

  t.ok((await counts(app)).length < before.length)
})

t.test('a failure that can not be recorded is not counted, nor told from a log-in that can not', async (t) => {
  const { app } = await buildWithAda(t)
  const record = t.intercept(app.audit, 'valuesOf', { value: () => { throw new Error('disk full') } })

  t.equal((await tryFrom(app, HERE)).statusCode, 500)
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 500)
  record.restore()

  t.strictSame(await counts(app), [])
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
})

t.test('a failure that can not be recorded is counted in Redis all the same, since one too few would be a guess for nothing', async (t) => {
  const inRedis = places[1]
  if (inRedis === undefined) return
  const { app } = await buildWithAda(t, inRedis.env())
  const record = t.intercept(app.audit, 'record', { value: async () => { throw new Error('disk full') } })

  t.equal((await tryFrom(app, HERE)).statusCode, 500)
  record.restore()

  t.strictSame((await counts(app)).map(({ failures }) => failures), [1, 1, 1, 1, 1])
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
})
