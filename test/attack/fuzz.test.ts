import t, { type Test } from 'tap'
import { buildWithRoutes } from '../collect-routes.ts'
import { captureLog, createUser } from '../helper.ts'
import { listen } from '../raw-http.ts'
import { fuzz, type Seen } from './fuzz/run.ts'
import { ADA } from './target.ts'

const REQUESTS = 2000
// One round makes most routes succeed, and each of the others in some rounds.
const MOST_ROUNDS = 4
// What these need is mailed.
const OUT_OF_REACH = ['PUT /email-verification', 'PUT /password-reset']

t.test('whatever is sent, the answers are as described, nothing goes wrong inside, no secret comes up, and all routes but two succeed', async (t) => {
  let failing = failingRoutes(await attack(t))
  for (let round = 2; round <= MOST_ROUNDS && failing.length > OUT_OF_REACH.length; round++) {
    const again = failingRoutes(await attack(t))
    failing = failing.filter((route) => again.includes(route))
  }

  t.strictSame(failing.toSorted(), OUT_OF_REACH)
})

/** A round against a service of its own. */
async function attack (t: Test): Promise<Seen> {
  const log = captureLog('info')
  const { app, routes } = await buildWithRoutes(t, { REGISTRATION: 'open', TRUST_PROXY: '127.0.0.1', CORS_ORIGINS: 'https://app.example.com', ACCESS_TOKEN_TTL: '3600' }, log.logger)
  const port = await listen(app)

  const seen = await fuzz({
    port,
    routes,
    requests: REQUESTS,
    makeUser: async (username, isAdmin) => { await createUser(app, { username, password: ADA.password, email: `${username}@example.com`, roles: isAdmin ? ['user', 'admin'] : ['user'] }) }
  })

  t.strictSame(log.lines.filter(({ level }) => Number(level) >= 50), [])
  t.notMatch(log.text(), /CANARY|\$argon2|PRIVATE KEY/)
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
  return seen
}

/** HEAD is tried too seldom to count. */
function failingRoutes (seen: Seen): string[] {
  return Object.entries(seen).filter(([route, statuses]) => !route.startsWith('HEAD ') && !Object.keys(statuses).some((status) => status < '4')).map(([route]) => route)
}
