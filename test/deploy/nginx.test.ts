import t from 'tap'
import { logIn } from '../helper.ts'
import { exchange, request, type Answer } from '../raw-http.ts'
import { checkCaching, checkLogin, checkPaths, checkSpoofing, checkTokens, valuesOf } from './gateway-cases.ts'
import { canRunProgram, replaceAll, startGateway, type Program } from './gateway.ts'
import { NGINX } from './nginx.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

/** The same, but it keeps what it may and says so. */
const CACHING: Program = {
  ...NGINX,
  adapt: (config, addresses) => replaceAll(NGINX.adapt(config, addresses), {
    'worker_processes 1': 'user root; worker_processes 1',
    'proxy_cache off;': `proxy_cache_path ${addresses.directory}/cache keys_zone=all:1m; proxy_cache all; add_header X-Cache $upstream_cache_status always;`
  })
}

t.test('nginx, which asks /verify', async (t) => {
  if (!canRunProgram(t, NGINX.path)) return

  for (const [name, check] of Object.entries({ checkSpoofing, checkPaths, checkCaching })) {
    t.test(name, async (t) => { check(t, await startGateway(t, NGINX)) })
  }
  t.test('tokens', async (t) => { checkTokens(t, await startGateway(t, NGINX), { revokedStatus: 401 }) })

  t.test('a token is good until it expires', async (t) => {
    const { ask, tokens, advance } = await startGateway(t, NGINX)
    const status = async (): Promise<number> => (await ask('GET /things', [`authorization: Bearer ${tokens.access_token}`])).answer.status

    advance(599_000)
    t.equal(await status(), 200)
    advance(1000)
    t.equal(await status(), 401)
  })

  t.test('a username of any script arrives, in ASCII', async (t) => {
    const { ask, app } = await startGateway(t, NGINX)
    const password = 'a password of the test'
    await app.users.create({ username: 'żółć', fullName: 'Zażółć', passwordHash: await app.passwordHasher.hash(password) }, {})
    const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'żółć', password })

    const { received } = await ask('GET /things', [`authorization: Bearer ${token}`])

    t.strictSame(valuesOf(received, 'X-Auth-Username').map(decodeURIComponent), ['żółć'])
    t.match(valuesOf(received, 'X-Auth-Username').join(), /^[\x21-\x7e]+$/)
  })

  t.test('the trace of a request is made by nginx, and named by the API and by the log of Latchkey', async (t) => {
    const { ask, log, tokens } = await startGateway(t, NGINX)

    const { received } = await ask('POST /things', [`authorization: Bearer ${tokens.access_token}`, 'content-length: 0', `traceparent: 00-${TRACE}-00f067aa0ba902b7-01`])

    const [trace] = valuesOf(received, 'traceparent')
    t.match(trace, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    t.notMatch(trace, TRACE)
    t.match(log.lines.at(-1), { path: '/verify', method: 'GET', status: 204, trace_id: trace?.slice(3, 35) })
  })

  t.test('log-in and profile go to Latchkey, which sees where they come from', async (t) => { await checkLogin(t, await startGateway(t, NGINX)) })

  t.test('even if it keeps what it may, nobody gets the profile of somebody else', async (t) => {
    const { loginPort, tokens, adminTokens } = await startGateway(t, CACHING)
    const ask = async (path: string, token = ''): Promise<Answer | undefined> => (await exchange(t, loginPort, request(`GET ${path}`, token && `authorization: Bearer ${token}\r\n`)))[0]

    const profiles = []
    for (const { access_token: token } of [tokens, adminTokens, tokens]) profiles.push(await ask('/users/me', token))
    const keys = [await ask('/.well-known/jwks.json'), await ask('/.well-known/jwks.json')]

    t.strictSame(profiles.map((profile) => (JSON.parse(profile?.body ?? '') as { username: string }).username), ['johndoe', 'root', 'johndoe'])
    t.strictSame(profiles.map((profile) => profile?.headers['x-cache']), ['MISS', 'MISS', 'MISS'])
    t.equal((await ask('/users/me'))?.status, 401)
    t.strictSame(keys.map((answer) => answer?.headers['x-cache']), ['MISS', 'HIT'], 'it does keep')
  })

  t.test('while Latchkey is away nobody is let in, and nobody is sent to log in', async (t) => {
    const { ask, app, tokens } = await startGateway(t, NGINX)
    await app.close()

    const { answer, received } = await ask('GET /things', [`authorization: Bearer ${tokens.access_token}`])

    t.match(answer, { status: 503, headers: { 'retry-after': '1' } })
    t.equal(received, undefined)
  })
})
