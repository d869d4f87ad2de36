import t from 'tap'
import { formatCursor } from '../../lib/cursor.ts'
import { build, requestToken, stopClock } from '../helper.ts'
import { enterAs, enterWith, UNKNOWN_ID, type Person } from './people.ts'
import { isProblem } from './users-me/requests.ts'

const EVENT_KEYS = ['id', 'type', 'outcome', 'at', 'actor_id', 'user_id', 'session_id', 'client_id', 'ip', 'user_agent', 'request_id', 'details']
const START = Date.UTC(2030, 0, 31, 9, 30)

interface Event { id: string, type: string, at: string, session_id: string | null }

async function read ({ send }: Person, query = ''): Promise<Event[]> {
  const response = await send('GET', `/audit-events${query}`)
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json().items
}

t.test('GET /audit-events shows what happened, newest first', async (t) => {
  const app = await build(t)
  stopClock(app, START)
  const auditor = await enterWith(app, 'auditor', 'audit:read')
  await requestToken(app, { grant_type: 'password', username: 'johndoe', password: 'wrong' })
  const john = await app.users.find('johndoe')

  const [failure, login, ...earlier] = await read(auditor)

  t.strictSame(Object.keys(failure ?? {}), EVENT_KEYS)
  t.match(failure, { type: 'login', outcome: 'failure', at: '2030-01-31T09:30:00.000Z', actor_id: null, user_id: john?.id, session_id: null, client_id: 'first-party', ip: '127.0.0.1', user_agent: 'lightMyRequest', request_id: /-\d+$/, details: { error: 'invalid_grant' } })
  t.match(login, { type: 'login', outcome: 'success', user_id: auditor.id, session_id: /^[\da-f-]{36}$/, details: null })
  t.strictSame(earlier.map(({ type }) => type), ['user_created', 'role_set', 'user_created', 'signing_key_rotated'])
})

t.test('an act of an administrator names who did it, to whom and through which session', async (t) => {
  const app = await build(t)
  const admin = await enterAs(app, 'admin', 'admin')
  const john = await app.users.find('johndoe')
  await admin.send('PATCH', `/users/${john?.id}`, { roles: ['admin'] })

  const [event] = await read(admin, '?type=user_roles_changed')
  const [login] = await read(admin, `?type=login&user_id=${admin.id}`)

  t.match(event, { type: 'user_roles_changed', outcome: 'success', actor_id: admin.id, user_id: john?.id, session_id: login?.session_id, client_id: 'first-party', details: { before: '', after: 'admin' } })
})

t.test('events are given in pages and by type, user and time', async (t) => {
  const app = await build(t)
  const clock = stopClock(app, START)
  const auditor = await enterWith(app, 'auditor', 'audit:read')
  for (let index = 0; index < 7; index++) {
    clock.advance(1000)
    await app.audit.record(app.db, { type: 'logout', outcome: 'success', ...index % 2 === 0 && { userId: UNKNOWN_ID }, details: { index } }, {})
  }
  const indexes = async (query: string) => (await read(auditor, query)).map((event) => (event as unknown as { details: { index: number } }).details.index)

  t.strictSame(await indexes('?type=logout'), [6, 5, 4, 3, 2, 1, 0])
  t.strictSame(await indexes(`?user_id=${UNKNOWN_ID}`), [6, 4, 2, 0])
  t.strictSame(await indexes(`?type=login&user_id=${UNKNOWN_ID}`), [])
  t.strictSame(await indexes('?type=logout&from=2030-01-31T09:30:03Z&to=2030-01-31T09:30:05.000Z'), [3, 2])
  t.strictSame(await indexes('?type=logout&to=2030-01-31T10:30:02%2B01:00'), [0])

  let cursor: string | null = ''
  const pages: number[][] = []
  while (cursor !== null) {
    const { items, next_cursor: next }: { items: Array<{ details: { index: number } }>, next_cursor: string | null } =
      (await auditor.send('GET', `/audit-events?type=logout&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)).json()
    pages.push(items.map(({ details }) => details.index))
    cursor = next
  }
  t.strictSame(pages, [[6, 5, 4], [3, 2, 1], [0]])
})

const refused = [
  'limit=0', 'limit=101', 'limit=1000000000', 'type=nonsense', 'type=LOGIN', 'type=', 'type=__proto__', 'type=login&type=logout',
  'user_id=x', `user_id=${UNKNOWN_ID.toUpperCase()}`, 'user_id=', 'user_id=%00', 'actor_id=x', 'outcome=failure',
  'from=yesterday', 'from=2030-01-31', 'from=1', 'from=2030-02-30T00:00:00Z', 'to=2030-01-31T09:30:00', 'to=2016-12-31T23:59:60Z', `to=${'1'.repeat(50)}`,
  'cursor=x', `cursor=${formatCursor(['1', 'x'])}`, `cursor=${formatCursor([1.5, 'x'])}`, `cursor=${formatCursor([1])}`
]
t.test('what is no query for events is refused', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'auditor', 'audit:read')

  for (const query of refused) {
    t.test(query, async (t) => {
      isProblem(t, await send('GET', `/audit-events?${query}`), 400, 'validation_failed')
    })
  }
})

t.test('who may not read the audit log does not', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'manager', 'users:write', 'users:read')

  isProblem(t, await send('GET', '/audit-events'), 403, 'insufficient_scope')
})
