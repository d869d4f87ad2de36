import t from 'tap'
import { exchange, request } from '../raw-http.ts'
import { ADA, runCases, startTarget, type Case, type Expected } from './target.ts'

const NO_STORE = { 'cache-control': 'no-store' }
const noToken: Expected = { status: 401, headers: { ...NO_STORE, 'www-authenticate': /^Bearer realm="latchkey"$/ }, json: { code: 'unauthorized' } }
const badToken: Expected = { status: 401, headers: { ...NO_STORE, 'www-authenticate': /^Bearer realm="latchkey", error="invalid_token"$/ }, json: { code: 'invalid_token' } }
const malformed: Expected = { status: 400, json: { code: 'bad_request' } }
const profile: Expected = { status: 200, headers: { ...NO_STORE, vary: 'Authorization' }, json: { username: 'ada' } }

const me = (...headers: string[]): string => request('GET /users/me', headers.map((line) => `${line}\r\n`).join(''))

t.test('over the network a bearer token', async (t) => {
  const target = await startTarget(t)
  const { access_token: token, refresh_token: refreshToken } = await target.logIn()
  const { access_token: narrow } = await target.logIn({ ...ADA, scope: 'account' })
  const good = `authorization: Bearer ${token}`
  const bad = 'authorization: Bearer x'

  const cases: Case[] = [
    { name: 'is asked for where none is sent', text: me(), answer: noToken },
    { name: 'is refused if it is none', text: me(bad), answer: badToken },
    { name: 'is not Basic credentials', text: me('authorization: Basic YWRhOng='), answer: noToken },
    { name: 'is taken', text: me(good), answer: profile },
    { name: 'is taken after the scheme in small letters', text: me(good.replace('Bearer', 'bearer')), answer: profile },
    { name: 'is taken after the scheme in capitals', text: me(good.replace('Bearer', 'BEARER')), answer: profile },
    { name: 'is taken after two spaces', text: me(good.replace('Bearer ', 'Bearer  ')), answer: profile },
    { name: 'is refused after a tab', text: me(good.replace('Bearer ', 'Bearer\t')), answer: badToken },
    { name: 'is refused with a space inside', text: me(good.replace('.', ' .')), answer: badToken },
    { name: 'is refused with a line break inside', text: me(good.replace('.', '\n.')), answer: malformed },
    { name: 'is refused on a folded line', text: me(good.replace('Bearer ', 'Bearer\r\n ')), answer: malformed },
    { name: 'is refused if a bad one follows', text: me(good, bad), answer: badToken },
    { name: 'is refused if a bad one comes first', text: me(bad, good), answer: badToken },
    { name: 'is refused if it comes twice', text: me(good, good), answer: badToken },
    { name: 'is not looked for in a form', text: request('GET /users/me', `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${token.length + 13}\r\n`, `access_token=${token}`), answer: noToken },
    { name: 'is not looked for in the query', text: request(`GET /users/me?access_token=${'x'.repeat(100)}`), answer: noToken },
    { name: 'is not looked for in a cookie', text: me(`cookie: access_token=${token}`), answer: noToken },
    { name: 'is not looked for in the header of a proxy', text: me(`proxy-authorization: Bearer ${token}`), answer: noToken },
    { name: 'without the scope is not enough', text: me(`authorization: Bearer ${narrow}`), answer: { status: 403, headers: { ...NO_STORE, 'www-authenticate': /error="insufficient_scope", scope="profile"$/ }, json: { code: 'insufficient_scope' } } },
    { name: 'is not the scheme alone', text: me('authorization: Bearer'), answer: badToken },
    { name: 'is not a refresh token', text: me(`authorization: Bearer ${refreshToken}`), answer: badToken },
    { name: 'is refused if it is longer than any of ours', text: me(`authorization: Bearer ${'x'.repeat(9000)}`), answer: badToken },
    { name: 'is refused if it is longer than all headers may be', text: me(`authorization: Bearer ${'x'.repeat(20_000)}`), answer: { status: 431, json: { code: 'headers_too_large' } } },
    { name: 'is refused with another payload', text: me(good.replace(/\.[^.]+\./, '.eyJzdWIiOiJyb290In0.')), answer: badToken },
    { name: 'is refused without its signature', text: me(good.replace(/[^.]+$/, '')), answer: badToken },
    { name: 'counts although Connection names its header', text: `GET /users/me HTTP/1.1\r\nhost: latchkey\r\nconnection: close, authorization\r\n${good}\r\n\r\n`, answer: profile }
  ]
  runCases(t, target, cases)

  t.test('is needed for HEAD as for GET', async (t) => {
    const response = await fetch(`http://127.0.0.1:${target.port}/users/me`, { method: 'HEAD', headers: { connection: 'close' } })

    t.equal(response.status, 401)
    t.equal(response.headers.get('www-authenticate'), 'Bearer realm="latchkey"')
  })

  t.test('is dead as soon as its session was ended', async (t) => {
    const doomed = await target.logIn()
    await exchange(t, target.port, request('POST /revoke', `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${doomed.refresh_token.length + 6}\r\n`, `token=${doomed.refresh_token}`))

    await target.attack(t, { name: '', text: me(`authorization: Bearer ${doomed.access_token}`), answer: badToken })
  })
})
