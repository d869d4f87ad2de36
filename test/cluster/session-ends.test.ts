import t, { type Test } from 'tap'
import type { Tokens } from '../helper.ts'
import { startProxy, type PostgresProxy } from '../postgres-proxy.ts'
import { until } from '../postgres.ts'
import { decode } from '../tokens.ts'
import { logInAt, post, readProfileAt } from '../server-process.ts'
import { canRunPair, createUsers, PASSWORD, startPair, type Pair } from './pair.ts'

interface Scene extends Pair {
  /** Sees what the second replica asks its database. */
  proxy: PostgresProxy
  admin: Tokens
  /** Of the user whose session is to end, and of another log-in. */
  tokens: Tokens
  others: Tokens
}

interface Ending {
  name: string
  act: (scene: Scene) => Promise<Response>
  /** What is refused from then on. */
  path?: string
  refused?: number
}

const NEW_PASSWORD = 'another horse battery'
const logInAs = async (at: { url: string }, username: string): Promise<Tokens> => await logInAt(at, { grant_type: 'password', username, password: PASSWORD })

async function send ({ url }: { url: string }, { access_token: token }: Tokens, method: string, path: string, body?: object): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  return await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...body !== undefined && { 'content-type': 'application/json' } }, ...json })
}

const claim = ({ access_token: token }: Tokens, name: 'sub' | 'sid'): string => decode(token.split('.')[1])[name] as string

const endings: Ending[] = [
  { name: 'A session that was revoked', act: async ({ one, tokens }) => await post(`${one.url}/revoke`, { token: tokens.refresh_token }) },
  { name: 'A session that its user has ended', act: async ({ one, tokens, others }) => await send(one, others, 'DELETE', `/users/me/sessions/${claim(tokens, 'sid')}`) },
  { name: 'A session whose user has another password', act: async ({ one, others }) => await send(one, others, 'PUT', '/users/me/password', { current_password: PASSWORD, new_password: NEW_PASSWORD }) },
  { name: 'A session whose user was disabled', act: async ({ one, admin, tokens }) => await send(one, admin, 'PATCH', `/users/${claim(tokens, 'sub')}`, { disabled: true }) },
  { name: 'A session whose user was deleted', act: async ({ one, admin, tokens }) => await send(one, admin, 'DELETE', `/users/${claim(tokens, 'sub')}`) },
  { name: 'A session whose user has lost a role', act: async ({ one, admin, tokens }) => await send(one, admin, 'PATCH', `/users/${claim(tokens, 'sub')}`, { roles: [] }), path: '/admin', refused: 403 }
]

/** How often the second replica asks its database for a session while it works. */
async function looks ({ proxy }: Scene, work: () => Promise<unknown>): Promise<number> {
  const before = proxy.sent().length
  await work()
  return proxy.sent().slice(before).split('from "sessions"').length - 1
}

async function checkEnding (t: Test, scene: Scene, { act, path = '/', refused = 401 }: Ending): Promise<void> {
  const { two, apiUrl, tokens } = scene
  const isAdministration = path === '/admin'
  const readAtTwo = async (): Promise<number> => isAdministration ? (await send(two, tokens, 'GET', '/users')).status : (await readProfileAt(two, tokens.access_token)).status
  const verify = async (): Promise<number> => (await send({ url: apiUrl }, tokens, 'GET', path)).status
  t.strictSame([await verify(), await verify()], [200, 200])
  t.equal(await looks(scene, async () => { t.equal(await readAtTwo(), 200) }), 0, 'it is answered from memory')

  t.ok((await act(scene)).ok)

  t.ok(await until(async () => await readAtTwo() === refused), 'long before it would be forgotten by itself')
  t.strictSame([await verify(), await verify()], [refused, refused], 'whichever replica nginx asks')
}

if (await canRunPair(t)) {
  const { promise: proxying, resolve: onProxy } = Promise.withResolvers<PostgresProxy>()
  const pair = await startPair(t, {
    secondDatabaseUrl: async (url) => {
      const proxy = await startProxy(t, url)
      onProxy(proxy)
      return proxy.url
    }
  })
  const usernames = endings.map((_ending, index) => `user-${index}`)
  await createUsers(pair, [{ username: 'root', roles: ['admin'] }, ...usernames.map((username) => ({ username, roles: ['admin'] }))])
  const proxy = await proxying
  const admin = await logInAs(pair.one, 'root')

  for (const [index, ending] of endings.entries()) {
    t.test(`${ending.name} is refused by the other replica too`, async (t) => {
      const username = usernames[index] as string
      await checkEnding(t, { ...pair, proxy, admin, tokens: await logInAs(pair.two, username), others: await logInAs(pair.one, username) }, ending)
    })
  }
}
