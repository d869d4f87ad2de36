import t from 'tap'
import { formatCursor } from '../../../lib/cursor.ts'
import { toUserBody } from '../../../lib/user.ts'
import { build, createUser } from '../../helper.ts'
import { enterAs, enterWith, type Person } from '../people.ts'
import { isProblem } from '../users-me/requests.ts'

const USER_KEYS = ['id', 'username', 'email', 'email_verified', 'full_name', 'disabled', 'roles', 'created_at', 'updated_at', 'last_login_at']

async function usernames ({ send }: Person, query: string): Promise<string[][]> {
  const pages: string[][] = []
  let cursor: string | null = null
  do {
    const { items, next_cursor: next }: { items: Array<{ username: string }>, next_cursor: string | null } = (await send('GET', `/users?${query}${cursor === null ? '' : `&cursor=${cursor}`}`)).json()
    pages.push(items.map(({ username }) => username))
    cursor = next
  } while (cursor !== null)
  return pages
}

t.test('GET /users shows all users by username, each as the API shows one', async (t) => {
  const app = await build(t)
  const ada = await enterWith(app, 'ada', 'users:read')
  const zoe = await createUser(app, { username: 'zoe', fullName: 'Zoe', password: null })

  const response = await ada.send('GET', '/users')

  t.equal(response.statusCode, 200)
  t.strictSame(Object.keys(response.json()), ['items', 'next_cursor'])
  t.equal(response.json().next_cursor, null)
  t.strictSame(response.json().items.map(({ username }: { username: string }) => username), ['ada', 'johndoe', 'zoe'])
  for (const item of response.json().items) t.strictSame(Object.keys(item), USER_KEYS)
  t.strictSame(response.json().items[2], toUserBody(zoe))
  t.notMatch(response.body, /argon2|hash|version/i)
})

t.test('GET /users gives pages of as many as are asked for', async (t) => {
  const app = await build(t)
  const ada = await enterWith(app, 'ada', 'users:read')
  for (let index = 0; index < 60; index++) await app.users.create({ username: `u${String(index).padStart(2, '0')}` }, {})

  t.strictSame((await usernames(ada, 'limit=25')).map(({ length }) => length), [25, 25, 12])
  t.strictSame((await usernames(ada, '')).map(({ length }) => length), [50, 12])
  t.strictSame((await usernames(ada, 'limit=100')).map(({ length }) => length), [62])
  t.strictSame((await usernames(ada, 'limit=1&q=u0')).flat(), Array.from({ length: 10 }, (_, index) => `u0${index}`))
})

t.test('GET /users finds by the beginning of the username or the address, however it is spelled', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:read')
  const find = async (q: string) => (await send('GET', `/users?q=${encodeURIComponent(q)}`)).json().items.map(({ username }: { username: string }) => username)

  t.strictSame(await find('JOHN'), ['johndoe'])
  t.strictSame(await find('JohnDoe@EXAMPLE'), ['johndoe'])
  t.strictSame(await find('doe'), [])
  t.strictSame(await find('%'), [])
  t.strictSame(await find(''), ['ada', 'johndoe'])
  t.strictSame(await find("' or 1=1 --"), [])
})

const refused = [
  'limit=0', 'limit=101', 'limit=1000000000', 'limit=-1', 'limit=1.5', 'limit=1e2', 'limit=', 'limit=x', 'limit=0x10', 'limit=5&limit=6',
  `q=${'x'.repeat(255)}`, 'q=%00', 'q=a%0Ab', 'q=a&q=b', 'Q=a', 'page=2', 'username=ada',
  'cursor=', 'cursor=!', 'cursor=AAAA', `cursor=${'A'.repeat(513)}`,
  `cursor=${formatCursor(['id', 'x'])}`, `cursor=${formatCursor(['username'])}`, `cursor=${formatCursor(['username', 1])}`,
  `cursor=${formatCursor(['username', 'a\0'])}`, `cursor=${formatCursor(['__proto__', 'x'])}`
]
t.test('GET /users refuses what is no query for a page', async (t) => {
  const app = await build(t)
  const { send } = await enterWith(app, 'ada', 'users:read')

  for (const query of refused) {
    t.test(query.slice(0, 60), async (t) => {
      isProblem(t, await send('GET', `/users?${query}`), 400, 'validation_failed')
    })
  }
})

t.test('only who may read users sees any, and others see no difference between those who exist and those who do not', async (t) => {
  const app = await build(t)
  const ada = await enterAs(app, 'ada')
  const writer = await enterWith(app, 'writer', 'users:write')
  const unknown = '0198c0de-0000-7000-8000-000000000000'

  for (const { id, send } of [ada, writer]) {
    const [list, existing, own, missing, malformed] = await Promise.all(['/users', `/users/${(await app.users.find('johndoe'))?.id}`, `/users/${id}`, `/users/${unknown}`, '/users/x']
      .map(async (url) => await send('GET', url)))

    for (const response of [list, existing, own, missing, malformed]) {
      if (response === undefined) return
      isProblem(t, response, 403, 'insufficient_scope')
      t.equal(response.headers['www-authenticate'], 'Bearer realm="latchkey", error="insufficient_scope", scope="users:read"')
      t.equal(response.body, list?.body)
    }
  }
})
