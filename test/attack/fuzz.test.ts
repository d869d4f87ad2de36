import t, { type Test } from 'tap'
import { buildWithRoutes } from '../collect-routes.ts'
import { captureLog, createUser } from '../helper.ts'
import { listen } from '../raw-http.ts'
import { fuzz, isFuzzed } from './fuzz/run.ts'
import { ADA } from './target.ts'

const REQUESTS = 2000
// One round reaches most of what can succeed, and each of them with some luck.
const MOST_ROUNDS = 4

// The links that the others need are in mails.
const MAILED = ['PUT /email-verification', 'PUT /password-reset']
const RARE = /^HEAD /

t.test('whatever is sent, the answers are as described, nothing goes wrong inside, no secret comes up, and each route succeeds', async (t) => {
  let missing: string[] = []
  for (let round = 1; round === 1 || (round <= MOST_ROUNDS && missing.length > 0); round++) {
    const { routes, succeeded } = await attack(t)
    missing = (round === 1 ? routes : missing).filter((route) => !succeeded.has(route))
  }

  t.strictSame(missing, [])
})

/** A round against a service of its own. */
async function attack (t: Test): Promise<{ routes: string[], succeeded: Set<string> }> {
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
  const succeeded = Object.entries(seen).filter(([, statuses]) => Object.keys(statuses).some((status) => status < '4')).map(([route]) => route)
  const needed = routes.filter(isFuzzed).map(({ method, url }) => `${method} ${url}`).filter((route) => !RARE.test(route) && !MAILED.includes(route))
  return { routes: needed, succeeded: new Set(succeeded) }
}
