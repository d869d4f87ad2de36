import t from 'tap'
import { canRunProgram } from '../deploy/gateway.ts'
import { testEnv, type Tokens } from '../helper.ts'
import { PGBOUNCER, startPgBouncer } from '../pgbouncer.ts'
import { emptySchema, needsPostgres, query } from '../postgres.ts'
import { logInAt, post, readProfileAt, refreshAt, startServer } from '../server-process.ts'

const PARALLEL = 20

if (canRunProgram(t, PGBOUNCER) && await needsPostgres(t)) {
  const url = await emptySchema(t)
  const env = testEnv(t, { DATABASE_URL: await startPgBouncer(t, url), REFRESH_GRACE: '300' })
  const [one, two] = await Promise.all([startServer(t, env), startServer(t, env)])

  t.test('Through PgBouncer two that start at once have made one schema and one key, and remember nothing', async (t) => {
    t.strictSame(await query(url, 'select count(*)::int as keys from signing_keys'), [{ keys: 1 }])
    for (const server of [one, two]) {
      t.equal((await fetch(`${server.url}/health/ready`)).status, 200)
      t.notMatch(server.log(), /are remembered/)
    }
  })

  t.test('Through PgBouncer parallel refreshes at two replicas have one successor', async (t) => {
    const { refresh_token: token } = await logInAt(one)

    const responses = await Promise.all(Array.from({ length: PARALLEL }, async (_, index) => await refreshAt(index % 2 === 0 ? one : two, token)))

    t.strictSame(responses.map(({ status }) => status), Array(PARALLEL).fill(200))
    t.equal(new Set(await Promise.all(responses.map(async (response) => (await response.json() as Tokens).refresh_token))).size, 1)
  })

  t.test('Through PgBouncer a session that was revoked is refused by the other replica at once', async (t) => {
    const { access_token: token, refresh_token: refreshToken } = await logInAt(two)
    t.equal((await readProfileAt(two, token)).status, 200)

    t.equal((await post(`${one.url}/revoke`, { token: refreshToken })).status, 200)

    t.equal((await readProfileAt(two, token)).status, 401)
    t.equal((await refreshAt(two, refreshToken)).status, 400)
  })
}
