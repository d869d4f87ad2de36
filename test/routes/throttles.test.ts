import t, { type Test } from 'tap'
import { auditEvents, build, refresh, stopClock } from '../helper.ts'
import { BEHIND_PROXY, failFrom, SECOND, tryFrom } from '../throttles.ts'
import { enterAs, enterWith, UNKNOWN_ID } from './people.ts'
import { isProblem, PASSWORD, send } from './users-me/requests.ts'

const HERE = '203.0.113.9'
const KEYS = ['id', 'rule', 'user_id', 'username', 'network', 'failures', 'blocked_until', 'expires_at']

/** Ada has failed six times, and somebody who does not exist once; an administrator looks after it. */
async function prepare (t: Test) {
  const app = await build(t, BEHIND_PROXY)
  const clock = stopClock(app, Date.UTC(2030, 0, 1))
  const ada = await enterAs(app, 'ada')
  const admin = await enterAs(app, 'root', 'admin')
  await failFrom(app, HERE, 6)
  await failFrom(app, '203.0.113.10', 1, 'eve')
  const list = async (query = '') => (await admin.send('GET', `/throttles${query}`)).json()
  return { app, clock, ada, admin, list }
}

type Item = Record<string, string | number | null>

t.test('what is counted is listed, with who waits until when', async (t) => {
  const { ada, list } = await prepare(t)

  const { items, next_cursor: next } = await list() as { items: Item[], next_cursor: null }

  t.equal(next, null)
  t.equal(items.length, 10)
  for (const item of items) t.strictSame(Object.keys(item), KEYS)
  t.match(items.filter(({ rule, user_id: userId }) => rule === 'account_network' && userId === ada.id), [
    { username: 'ada', network: HERE, failures: 5, blocked_until: '2030-01-01T00:00:01.000Z', expires_at: '2030-01-01T01:00:00.000Z' },
    { network: HERE, failures: 5 }
  ])
  t.match(items.filter(({ rule, network }) => rule === 'network' && network === HERE), [{ user_id: null, username: null, failures: 5, blocked_until: null, expires_at: '2030-01-01T00:01:00.000Z' }])
  t.notMatch(JSON.stringify(items), 'eve')
})

t.test('the list comes in pages, and for one user', async (t) => {
  const { ada, list } = await prepare(t)
  const all = (await list()).items as Item[]
  const paged: Item[] = []

  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { items: Item[], next_cursor: string | null } = await list(`?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
    paged.push(...page.items)
    cursor = page.next_cursor
  }

  t.strictSame(paged, all)
  t.strictSame((await list(`?user_id=${ada.id}`)).items, all.filter(({ user_id: userId }) => userId === ada.id))
  t.strictSame((await list(`?user_id=${UNKNOWN_ID}`)).items, [])
})

t.test('what is asked for wrongly is refused', async (t) => {
  const { admin } = await prepare(t)

  for (const query of ['?limit=0', '?limit=101', '?limit=x', '?cursor=', '?cursor=x', '?cursor=WzFd', '?user_id=x', '?user_id=', '?rule=account', '?limit=1&limit=2']) {
    isProblem(t, await admin.send('GET', `/throttles${query}`), 400, 'validation_failed')
  }
})

t.test('a count is cleared, which is audited, and whoever it held up can try again', async (t) => {
  const { app, ada, admin, list } = await prepare(t)
  const items = (await list()).items as Item[]
  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 429)

  for (const { id } of items.filter(({ rule, user_id: userId }) => rule === 'account_network' && userId === ada.id)) {
    const response = await admin.send('DELETE', `/throttles/${id}`)
    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    isProblem(t, await admin.send('DELETE', `/throttles/${id}`), 404, 'not_found')
  }

  t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 200)
  const event = { outcome: 'success', actor_id: admin.id, user_id: ada.id, details: JSON.stringify({ rule: 'account_network', network: HERE }) }
  t.match(await auditEvents(app, 'throttles_cleared'), [event, event])
})

t.test('what is no id of a count is one that nothing has, and does not reach the database', async (t) => {
  const { app, admin } = await prepare(t)
  const clears = t.capture(app.throttleAdministration, 'clear', app.throttleAdministration.clear)

  isProblem(t, await admin.send('DELETE', `/throttles/${'A'.repeat(43)}`), 404, 'not_found')
  t.equal(clears().length, 1)
  for (const id of ['x', '%00', '*', "'%20or%201=1--", `${'A'.repeat(42)}%20`, 'A'.repeat(99), '..%2Fusers']) {
    isProblem(t, await admin.send('DELETE', `/throttles/${id}`), 404, 'not_found')
  }
  t.equal(clears().length, 0)
})

t.test('all that is counted about a user is cleared at once, in every spelling and from everywhere', async (t) => {
  const { app, clock, ada, admin, list } = await prepare(t)
  for (let index = 0; index < 20; index++) await failFrom(app, `198.51.100.${index}`, 1, index % 2 === 0 ? 'ada@example.com' : 'ADA')
  clock.advance(SECOND)

  const response = await admin.send('DELETE', `/users/${ada.id}/throttles`)

  t.equal(response.statusCode, 204)
  t.strictSame((await list(`?user_id=${ada.id}`)).items, [])
  for (const username of ['ada', 'ada@example.com']) t.equal((await tryFrom(app, HERE, PASSWORD, username)).statusCode, 200)
  t.match(await auditEvents(app, 'throttles_cleared'), [{ actor_id: admin.id, user_id: ada.id, details: /^\{"throttles":\d+\}$/ }])
  isProblem(t, await admin.send('DELETE', `/users/${UNKNOWN_ID}/throttles`), 404, 'not_found')
  isProblem(t, await admin.send('DELETE', '/users/x/throttles'), 404, 'not_found')
})

t.test('a token with fewer scopes than its administrator clears nothing that is about another one', async (t) => {
  const { app, admin, list } = await prepare(t)
  const boss = await enterAs(app, 'boss', 'admin')
  await failFrom(app, HERE, 1, 'boss')
  const { access_token: narrow } = (await refresh(app, admin.refresh_token, { scope: 'users:read users:write' })).json()
  const [ofBoss] = (await list(`?user_id=${boss.id}`)).items as [Item]

  isProblem(t, await send(app, narrow, 'DELETE', `/throttles/${ofBoss.id}`), 403, 'beyond_own_scopes')
  isProblem(t, await send(app, narrow, 'DELETE', `/users/${boss.id}/throttles`), 403, 'beyond_own_scopes')
  t.equal((await admin.send('DELETE', `/throttles/${ofBoss.id}`)).statusCode, 204)
})

t.test('nobody clears what is about a user above himself, nor sees or clears anything without the scope', async (t) => {
  const { app, ada, admin, list } = await prepare(t)
  const reader = await enterWith(app, 'reader', 'users:read')
  const writer = await enterWith(app, 'writer', 'users:write')
  await failFrom(app, HERE, 1, 'root')
  const items = (await list()).items as Item[]
  const [ofRoot, ofNetwork] = [items.find(({ user_id: userId }) => userId === admin.id), items.find(({ rule }) => rule === 'network')] as [Item, Item]

  isProblem(t, await writer.send('DELETE', `/throttles/${ofRoot.id}`), 403, 'beyond_own_scopes')
  isProblem(t, await writer.send('DELETE', `/users/${admin.id}/throttles`), 403, 'beyond_own_scopes')
  isProblem(t, await writer.send('GET', '/throttles'), 403, 'insufficient_scope')
  for (const { send } of [reader, ada]) {
    isProblem(t, await send('DELETE', `/throttles/${ofNetwork.id}`), 403, 'insufficient_scope')
    isProblem(t, await send('DELETE', `/users/${ada.id}/throttles`), 403, 'insufficient_scope')
  }
  isProblem(t, await ada.send('GET', '/throttles'), 403, 'insufficient_scope')

  t.strictSame((await list()).items, items)
  t.equal((await reader.send('GET', '/throttles')).statusCode, 200)
  t.equal((await writer.send('DELETE', `/throttles/${ofNetwork.id}`)).statusCode, 204)
  t.equal((await writer.send('DELETE', `/users/${ada.id}/throttles`)).statusCode, 204)
})
