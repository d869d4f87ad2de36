import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { SessionBody } from '../../../schemas/sessions.ts'
import { build, postForm, refresh, stopClock, type Tokens } from '../../helper.ts'
import { enter, isProblem, logInAgain, PASSWORD, send, sidOf } from './requests.ts'

const DAY = 24 * 60 * 60 * 1000

async function list (app: FastifyInstance, { access_token: token }: Tokens): Promise<SessionBody[]> {
  return (await send(app, token, 'GET', '/users/me/sessions')).json().items
}

t.test('GET /users/me/sessions shows the own live sessions, newest first', async (t) => {
  const app = await build(t)
  const clock = stopClock(app, Date.UTC(2030, 0, 31, 9, 30))
  const first = await enter(app)
  await enter(app, 'ben')
  clock.advance(1000)
  const form = { grant_type: 'password', username: 'ada', password: PASSWORD, scope: 'profile' }
  const second = (await postForm(app, '/token', form, { 'user-agent': 'curl/8' })).json() as Tokens
  const over = await logInAgain(app)
  await postForm(app, '/revoke', { token: over.refresh_token })
  clock.advance(1000)
  await refresh(app, second.refresh_token)

  const response = await send(app, first.access_token, 'GET', '/users/me/sessions')

  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  t.strictSame(response.json(), {
    items: [
      {
        id: sidOf(second),
        client_id: 'first-party',
        scope: 'profile',
        created_at: '2030-01-31T09:30:01.000Z',
        last_used_at: '2030-01-31T09:30:02.000Z',
        expires_at: '2030-02-14T09:30:02.000Z',
        ip: '127.0.0.1',
        user_agent: 'curl/8',
        current: false
      },
      {
        id: sidOf(first),
        client_id: 'first-party',
        scope: 'profile account',
        created_at: '2030-01-31T09:30:00.000Z',
        last_used_at: '2030-01-31T09:30:00.000Z',
        expires_at: '2030-02-14T09:30:00.000Z',
        ip: '127.0.0.1',
        user_agent: 'lightMyRequest',
        current: true
      }
    ],
    next_cursor: null
  })
})

t.test('sessions that nobody used for too long are not there', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const old = await enter(app)
  clock.advance(14 * DAY - 1)
  const own = await logInAgain(app)
  t.strictSame((await list(app, own)).map(({ id }) => id), [sidOf(own), sidOf(old)])
  clock.advance(1)

  t.strictSame((await list(app, own)).map(({ id }) => id), [sidOf(own)])
  isProblem(t, await send(app, own.access_token, 'DELETE', `/users/me/sessions/${sidOf(old)}`), 404, 'not_found')
})

t.test('pages hold every session once, also if they began in the same millisecond', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const own = await enter(app)
  await Promise.all(Array.from({ length: 4 }, async () => await logInAgain(app)))
  clock.advance(1)
  await logInAgain(app)
  const all = (await list(app, own)).map(({ id }) => id)
  t.equal(all.length, 6)

  for (const limit of [1, 2, 3, 5, 6]) {
    const pages: string[][] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const response = await send(app, own.access_token, 'GET', `/users/me/sessions?limit=${limit}${cursor && `&cursor=${cursor}`}`)
      const page = response.json() as { items: SessionBody[], next_cursor: string | null }
      pages.push(page.items.map(({ id }) => id))
      cursor = page.next_cursor
    }

    t.strictSame(pages.flat(), all)
    t.strictSame(pages.slice(0, -1).map((page) => page.length), pages.slice(0, -1).map(() => limit))
  }
})

t.test('a page has 50 sessions unless another number is asked for', async (t) => {
  const app = await build(t)
  const own = await enter(app)
  const row = await app.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow()
  const rows = Array.from({ length: 120 }, (_, index) => ({ ...row, id: `0198c0de-0000-7000-8000-${String(index).padStart(12, '0')}` }))
  for (const copy of rows) await app.db.insertInto('sessions').values(copy).execute()
  const sizeOf = async (query: string) => (await send(app, own.access_token, 'GET', `/users/me/sessions${query}`)).json().items.length

  t.equal(await sizeOf(''), 50)
  t.equal(await sizeOf('?limit=100'), 100)
  t.equal(await sizeOf('?limit=1'), 1)
})

t.test('a query that asks for no page is refused', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)
  const cursorOf = (text: string): string => Buffer.from(text).toString('base64url')
  const queries = [
    'limit=0', 'limit=101', 'limit=1000000000', 'limit=-1', 'limit=1.5', 'limit=0x10', 'limit=1e1', 'limit=', 'limit=ten', 'limit=%2010', 'limit=1&limit=2', 'page=2', 'user_id=x',
    'cursor=', 'cursor=a&cursor=b', 'cursor=%00', 'cursor=.', `cursor=${'a'.repeat(513)}`, `cursor=${cursorOf('not JSON')}`, `cursor=${cursorOf('{}')}`, `cursor=${cursorOf('[1]')}`,
    `cursor=${cursorOf('["1","x"]')}`, `cursor=${cursorOf('[1,2]')}`, `cursor=${cursorOf('[1.5,"x"]')}`, `cursor=${cursorOf('[1,"x",2]')}`, `cursor=${cursorOf('[1,"\\u0000"]')}`, `cursor=${cursorOf('[1,"\\ud800"]')}`,
    `cursor=${cursorOf(`[1,"${'x'.repeat(400)}"]`)}`, `cursor=${cursorOf('[1,"x"]')}.`, `cursor=${cursorOf('[1,"x"]')}%20`
  ]
  for (const query of queries) {
    t.test(query.slice(0, 40), async (t) => {
      isProblem(t, await send(app, token, 'GET', `/users/me/sessions?${query}`), 400, 'validation_failed')
    })
  }
})

t.test('a cursor made by somebody shows no session of another user', async (t) => {
  const app = await build(t)
  await enter(app, 'ben')
  const own = await enter(app)
  const cursor = Buffer.from(JSON.stringify([Number.MAX_SAFE_INTEGER, 'x'])).toString('base64url')

  const response = await send(app, own.access_token, 'GET', `/users/me/sessions?cursor=${cursor}`)

  t.strictSame(response.json().items.map(({ id }: SessionBody) => id), [sidOf(own)])
})
