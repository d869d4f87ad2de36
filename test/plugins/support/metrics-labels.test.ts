import { METHODS } from 'node:http'
import t from 'tap'
import { createUser, JOHN, logIn, requestToken, sendRaw } from '../../helper.ts'
import { request } from '../../raw-http.ts'
import { buildMeasured, type Series } from '../../scrape.ts'

const COUNT = 100

t.test('whoever asks for odd paths, with odd methods and names, makes no series', async (t) => {
  const { app, scrape } = await buildMeasured(t)
  const { access_token: token } = await logIn(app)
  const odd = ['CANARY', '__proto__', 'constructor', '%00', 'a"b', 'a%0Ab', '\u{1f511}', '{CANARY}']
  const paths = [...odd, ...Array.from({ length: COUNT }, (_, number) => `CANARY${number}`)]

  const ask = async (number: number): Promise<void> => {
    const path = encodeURI(paths[number % paths.length] as string)
    const headers = { authorization: `Bearer ${token}` }
    await app.inject({ url: `/${path}`, headers })
    await app.inject({ url: `/users/me/sessions/${path}`, method: 'DELETE', headers })
    await app.inject({ url: `/verify/${path}?scope=${path}`, headers })
    await app.inject({ url: `/docs/static/${path}` })
  }
  for (let number = 0; number < COUNT; number++) await ask(number)
  const first = await scrape()
  for (let number = COUNT; number < 2 * COUNT; number++) await ask(number)
  const second = await scrape()

  const ours = (series: Series): string[] => [...series.keys()].filter((name) => name.startsWith('latchkey_'))
  t.strictSame(ours(second), ours(first), 'as many series after twice as many paths')
  t.notMatch([...second.keys()].join('\n'), 'CANARY')
})

t.test('every method that Node knows is one of a few', async (t) => {
  const { app, scrape } = await buildMeasured(t)
  const methods = METHODS.filter((name) => name !== 'CONNECT')

  for (const method of methods) await sendRaw(app, request(`${method} /verify`))

  const labels = [...(await scrape()).keys()].map((series) => /http_request_duration_seconds_count\{method="(\w+)"/.exec(series)?.[1]).filter((label) => label !== undefined)
  t.strictSame([...new Set(labels)].toSorted(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'other'])
})

t.test('no label and no text tells who, from where or with what', async (t) => {
  const { app, url } = await buildMeasured(t)
  const password = 'a password that is CANARY'
  const { id } = await createUser(app, { username: 'canary', email: 'canary@example.com', password })
  const { access_token: access, refresh_token: refresh } = await logIn(app, { ...JOHN, username: 'canary', password })
  await requestToken(app, { ...JOHN, username: 'canary', password: 'wrong CANARY', client_id: 'CANARY', scope: 'CANARY' })

  const text = await (await fetch(url, { headers: { connection: 'close' } })).text()

  t.match(text, 'latchkey_token_requests_total')
  for (const secret of ['canary', 'CANARY', id, access, refresh, '127.0.0.1']) t.notOk(text.includes(secret), secret)
})
