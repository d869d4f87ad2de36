import t, { type Test } from 'tap'
import { createUserDirectory, type DirectoryPosition } from '../../plugins/data/user-directory.ts'
import { engines, type Engine } from './engines.ts'
import { openRepositories } from './repositories.ts'

const UNKNOWN = '0198c0de-0000-7000-8000-000000000000'

async function openDirectory (t: Test, engine: Engine, users: Record<string, string | undefined> = {}) {
  const repositories = await openRepositories(t, engine)
  const directory = createUserDirectory(repositories.db)
  const add = async (username: string, email?: string) => await repositories.users.create({ username, ...email !== undefined && { email } }, {})
  for (const [username, email] of Object.entries(users)) await add(username, email)

  /** The usernames on each page, from the first to the last. */
  async function pages (search: string, limit: number, afterEach = async () => {}): Promise<string[][]> {
    const found: string[][] = []
    let start: DirectoryPosition | undefined
    do {
      const page = await directory.list({ search, limit, ...start !== undefined && { start } })
      found.push(page.users.map(({ username }) => username))
      start = page.next ?? undefined
      await afterEach()
    } while (start !== undefined)
    return found
  }

  return { ...repositories, directory, add, pages, search: async (text: string) => (await pages(text, 100)).flat() }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A user is found by id', async (t) => {
      const { directory, users, ...scene } = await openDirectory(t, engine)
      const ada = await scene.ada({ email: 'ada@example.com', emailVerified: true, fullName: 'Ada', roles: ['admin'] })

      t.strictSame(await directory.find(ada.id), ada)
      t.equal(await directory.find(UNKNOWN), undefined)
    })

    t.test('A user who is not there is missed', async (t) => {
      const { directory, db, ada } = await openDirectory(t, engine)
      const { id } = await ada()

      await t.resolves(directory.require(id)(db))
      await t.rejects(directory.require(UNKNOWN)(db), { statusCode: 404, code: 'not_found' })
    })

    t.test('Without a search everybody is there once, by username', async (t) => {
      const { pages } = await openDirectory(t, engine, { eve: 'ada@example.com', ada: undefined, dan: 'x@example.com', ben: undefined, cid: undefined })

      t.strictSame(await pages('', 2), [['ada', 'ben'], ['cid', 'dan'], ['eve']])
      t.strictSame(await pages('', 5), [['ada', 'ben', 'cid', 'dan', 'eve']])
      t.strictSame(await pages('', 1), [['ada'], ['ben'], ['cid'], ['dan'], ['eve']])
    })

    t.test('An empty database has one empty page', async (t) => {
      const { pages } = await openDirectory(t, engine)

      t.strictSame(await pages('', 2), [[]])
      t.strictSame(await pages('a', 2), [[]])
    })

    t.test('A search finds by username first, and then by address who was not found yet', async (t) => {
      const { pages } = await openDirectory(t, engine, {
        ann: 'zoe@example.com',
        anna: 'an@example.com',
        bob: 'anton@example.com',
        al: 'ann@example.com',
        zed: 'and@example.com',
        yan: 'yan@example.com',
        zoe: undefined
      })

      const all = ['ann', 'anna', 'zed', 'al', 'bob']
      for (const limit of [1, 2, 3, 4, 5, 6]) {
        const found = await pages('an', limit)
        t.strictSame(found.flat(), all, `pages of ${limit}`)
        t.equal(found.length, Math.ceil(all.length / limit), `no empty page with pages of ${limit}`)
      }
    })

    t.test('A search begins at the beginning and takes nothing for a wildcard', async (t) => {
      const { search } = await openDirectory(t, engine, { 'a.b': 'a.b@example.com', 'a-b': 'a%b@example.com', a_b: 'a_b@example.com', axb: 'axb@example.com', ba: 'ba@example.com' })

      t.strictSame(await search('a_'), ['a_b'])
      t.strictSame(await search('a%'), ['a-b'])
      t.strictSame(await search('a.'), ['a.b'])
      t.strictSame(await search('b'), ['ba'])
      t.strictSame(await search('example'), [])
      t.strictSame(await search('a_b@example.com'), ['a_b'])
      t.strictSame(await search('\u{10FFFF}'), [])
    })

    t.test('A search does not care how the name is spelled', async (t) => {
      const { search } = await openDirectory(t, engine, { zoë: 'Zoe@BÜCHER.example', κωστας: undefined, νικος: undefined, 東京: undefined })

      t.strictSame(await search('ZOE\u0308'), ['zoë'])
      t.strictSame(await search('ｚｏ'), ['zoë'])
      t.strictSame(await search('ZOE@bücher.example'), ['zoë'])
      t.strictSame(await search('ΚΩΣ'), ['κωστας'])
      t.strictSame(await search('νικοσ'), ['νικος'])
      t.strictSame(await search('東'), ['東京'])
    })

    t.test('While users are added and deleted nobody else is shown twice or left out', async (t) => {
      const { pages, add, accounts, users } = await openDirectory(t, engine, Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`m${index}`, `a${index}@example.com`])))
      const gone = await users.find('m5')
      let turn = 0

      const found = await pages('m', 2, async () => {
        await add(`l${turn}`)
        await add(`m${turn}x`)
        await add(`z${turn}`, `m${turn}@example.com`)
        if (++turn === 2) await accounts.remove(gone?.id ?? '', {})
      })

      const names = found.flat()
      t.equal(new Set(names).size, names.length)
      t.strictSame(names.filter((name) => /^m\d$/.test(name)), ['m0', 'm1', 'm2', 'm3', 'm4', 'm6', 'm7', 'm8'])
    })

    t.test('A position that was never given goes on there and shows nobody whom the search does not find', async (t) => {
      const { directory } = await openDirectory(t, engine, { ada: 'm@example.com', mia: undefined, zoe: 'a@example.com' })
      const list = async (start: DirectoryPosition) => (await directory.list({ search: 'm', limit: 9, start })).users.map(({ username }) => username)

      t.strictSame(await list({ foundBy: 'username', key: 'a' }), ['mia', 'ada'])
      t.strictSame(await list({ foundBy: 'username', key: 'z' }), ['ada'])
      t.strictSame(await list({ foundBy: 'email', key: 'a' }), ['ada'])
      t.strictSame(await list({ foundBy: 'email', key: 'z' }), [])
    })

    t.test('A page reads a bounded number of addresses, and goes on where it stopped', async (t) => {
      const { db, pages } = await openDirectory(t, engine)
      const rows = Array.from({ length: 2500 }, (_, index) => {
        const name = `m${String(index).padStart(4, '0')}`
        return { id: name, username: index === 1700 ? 'other' : name, email: name, email_key: name, email_verified_at: null, full_name: null, password_hash: null, password_version: 0, disabled_at: null, demo_at: null, created_at: 0, updated_at: 0, last_login_at: null }
      })
      for (let from = 0; from < rows.length; from += 500) await db.insertInto('users').values(rows.slice(from, from + 500)).execute()

      const found = await pages('m', 1250)

      t.strictSame(found.map(({ length }) => length), [1250, 1249, 0, 0, 1, 0])
      t.strictSame(found[4], ['other'])
      t.equal(new Set(found.flat()).size, 2500)
    })
  })
}
