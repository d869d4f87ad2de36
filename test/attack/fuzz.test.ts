import t from 'tap'
import { buildWithRoutes } from '../collect-routes.ts'
import { captureLog, createUser } from '../helper.ts'
import { listen } from '../raw-http.ts'
import { fuzz } from './fuzz/run.ts'
import { ADA } from './target.ts'

const REQUESTS = 2000

t.test('whatever is sent, the answers are as described, nothing goes wrong inside and no secret comes up', async (t) => {
  const log = captureLog('info')
  const { app, routes } = await buildWithRoutes(t, { REGISTRATION: 'open', TRUST_PROXY: '127.0.0.1', CORS_ORIGINS: 'https://app.example.com', ACCESS_TOKEN_TTL: '3600' }, log.logger)
  const port = await listen(app)

  const seen = await fuzz({
    port,
    routes,
    requests: REQUESTS,
    makeUser: async (username, isAdmin) => { await createUser(app, { username, password: ADA.password, roles: isAdmin ? ['user', 'admin'] : ['user'] }) }
  })

  const successes = Object.values(seen).filter((statuses) => Object.keys(statuses).some((status) => status < '4'))
  t.ok(successes.length > 20, 'most of what can succeed did')
  t.strictSame(log.lines.filter(({ level }) => Number(level) >= 50), [])
  t.notMatch(log.text(), /CANARY|\$argon2|PRIVATE KEY/)
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})
