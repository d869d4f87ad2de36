import t from 'tap'
import { exchange, request } from '../raw-http.ts'
import { FORM, jsonRequest, runCases, startTarget, tokenRequest, type Case, type Expected } from './target.ts'

const malformed: Expected = { status: 400, headers: { connection: 'close' }, json: { code: 'bad_request', message: 'The request is malformed' } }
const malformedForm: Expected = { ...malformed, json: { error: 'invalid_request', error_description: 'The request is malformed' } }
const unreadable: Expected = { status: 400, json: { code: 'bad_request' } }
const invalid: Expected = { status: 400, json: { code: 'validation_failed' } }
const tooLarge: Expected = { status: 413, headers: { connection: 'close' } }
const headersTooLarge: Expected = { status: 431, headers: { connection: 'close' }, json: { code: 'headers_too_large' } }
const live: Expected = { status: 200, json: { status: 'live' } }

const START = 'POST /token HTTP/1.1\r\nhost: latchkey\r\ncontent-type: application/x-www-form-urlencoded\r\n'
const GET = 'GET /health/live HTTP/1.1\r\nhost: latchkey\r\n'
const reset = (body: string): string => jsonRequest('PUT /password-reset', body)

const cases: Case[] = [
  { name: 'a body over the limit, with its length', text: tokenRequest(`a=${'b'.repeat(9000)}`), answer: tooLarge },
  { name: 'a body over the limit, in chunks', text: `${START}transfer-encoding: chunked\r\n\r\n4000\r\n${'b'.repeat(0x4000)}\r\n`, answer: tooLarge },
  { name: 'a length and chunks', text: `${START}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, answer: malformedForm },
  { name: 'chunks and a length', text: `${START}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n`, answer: malformedForm },
  { name: 'two lengths', text: `${START}content-length: 5\r\ncontent-length: 6\r\n\r\nab=cd`, answer: malformedForm },
  { name: 'a folded header', text: `${GET}x-a: b\r\n c\r\n\r\n`, answer: malformed },
  { name: 'a line that ends with a bare line feed', text: `${GET.replace('latchkey\r', 'latchkey')}x-a: b\r\n\r\n`, answer: malformed },
  { name: 'a space before the colon', text: `${GET}x-a : b\r\n\r\n`, answer: malformed },
  { name: 'an unknown transfer encoding', text: `${START}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`, answer: malformedForm },
  { name: 'NUL in a header', text: `${GET}x-a: \0\r\n\r\n`, answer: malformed },
  { name: 'JSON with a prototype', text: reset('{"__proto__":{"polluted":1},"token":"x","new_password":"x"}'), answer: unreadable },
  { name: 'JSON with a constructor', text: reset('{"constructor":{"prototype":{"polluted":1}},"token":"x","new_password":"x"}'), answer: unreadable },
  { name: 'JSON 8,000 levels deep', text: reset(`${'['.repeat(8000)}${']'.repeat(8000)}`), answer: invalid },
  { name: 'JSON 100,000 levels deep', text: reset(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), answer: tooLarge },
  { name: '100,000 parameters', text: tokenRequest('a&'.repeat(100_000)), answer: tooLarge },
  { name: '4,000 parameters', text: tokenRequest(Array.from({ length: 1300 }, (_, index) => `a${index}`).join('&')), answer: { status: 400, json: { error: 'invalid_request' } } },
  ...['/* a */ {}', "{'a': 1}", '{"a": 1,}', '{"a": NaN}', '{"a": 01}', '\xef\xbb\xbf', '{', ''].map((body) => ({ name: `${JSON.stringify(body)} for JSON`, text: reset(body), answer: unreadable })),
  ...['null', '[]', '"x"', '1', 'true', '{}'].map((body) => ({ name: `${body} for an object`, text: reset(body), answer: invalid })),
  ...['123', 'null', 'true', '["a"]', '{}'].map((value) => ({ name: `${value} for a password`, text: reset(`{"token":"x","new_password":${value}}`), answer: invalid })),
  { name: 'a member that is not known', text: reset('{"token":"x","new_password":"x","user_id":"1"}'), answer: invalid },
  { name: 'text that is no UTF-8 in JSON', text: reset('{"token":"\xff","new_password":"correct horse battery staple"}'), answer: { status: 400, json: { code: 'invalid_token' } } },
  { name: 'another method in a header', text: `${GET}x-http-method-override: DELETE\r\nconnection: close\r\n\r\n`, answer: live },
  { name: 'another method in a parameter', text: tokenRequest('_method=DELETE'), answer: { status: 400, json: { error: 'invalid_request' } } },
  { name: 'a header named __proto__', text: `${GET}__proto__: x\r\nconnection: close\r\n\r\n`, answer: live },
  { name: '2,000 headers', text: `${GET}${'x-a: b\r\n'.repeat(2000)}\r\n`, answer: headersTooLarge },
  { name: '101 headers', text: `${GET}${'x-a: b\r\n'.repeat(100)}\r\n`, answer: headersTooLarge },
  { name: 'cookies of 20 kB', text: `${GET}cookie: ${'a=b; '.repeat(4000)}\r\n\r\n`, answer: headersTooLarge },
  { name: 'an upgrade to HTTP/2', text: `${GET}upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nconnection: close\r\n\r\n`, answer: live },
  { name: 'an unknown expectation', text: `${GET}expect: magic\r\nconnection: close\r\n\r\n`, answer: live },
  { name: 'a method that nobody knows', text: 'STEAL /token HTTP/1.1\r\nhost: latchkey\r\n\r\n', answer: malformed },
  { name: 'no host', text: 'GET /health/live HTTP/1.1\r\n\r\n', answer: { status: 400, json: null } },
  { name: 'a part of the path of 5 kB', text: request(`GET /users/${'x'.repeat(5000)}`), answer: { status: 414, json: { code: 'uri_too_long' } } }
]

const SQL = ["' or '1'='1", "ada'--", '" or ""="', "'; drop table users; --", "ada' union select * from users--", '%', '_da', 'ad%']

t.test('the service copes with', async (t) => {
  const target = await startTarget(t)
  runCases(t, target, cases)

  t.test('SQL and wildcards in every text field of strangers, which find nobody and change nothing', async (t) => {
    const finds = { status: 400 }

    for (const text of SQL) {
      const escaped = encodeURIComponent(text)
      const quoted = JSON.stringify(text)
      await target.attack(t, { name: text, text: tokenRequest(`grant_type=refresh_token&refresh_token=${escaped}`), answer: { status: 400, json: { error: 'invalid_grant' } } })
      await target.attack(t, { name: text, text: tokenRequest(`${FORM}&client_id=${escaped}`), answer: { status: 401 } })
      await target.attack(t, { name: text, text: tokenRequest(`token=${escaped}`, undefined, 'POST /revoke'), answer: { status: 200 } })
      await target.attack(t, { name: text, text: jsonRequest('POST /password-reset', `{"email":${quoted}}`), answer: finds })
      await target.attack(t, { name: text, text: jsonRequest('PUT /email-verification', `{"token":${quoted}}`), answer: finds })
    }
    t.equal((await target.logIn()).scope, 'profile account')
  })

  t.test('identifiers that are none', async (t) => {
    const { access_token: token } = await target.logIn()

    for (const id of ['0x10', '1e3', '%31', '%201', '9007199254740993', '-1', 'null', 'undefined', '__proto__', '%27', '%00', '%2e%2e', 'ffffffff-ffff-ffff-ffff-ffffffffffff']) {
      await target.attack(t, { name: id, text: request(`DELETE /users/me/sessions/${id}`, `authorization: Bearer ${token}\r\n`), answer: { status: 404, json: { code: 'not_found' } } })
    }
  })

  t.test('a condition that another one\'s answer meets', async (t) => {
    const { access_token: token } = await target.logIn()

    await target.attack(t, { name: '', text: request('GET /users/me', `authorization: Bearer ${token}\r\nif-none-match: *\r\n`), answer: { status: 200, json: { username: 'ada' } } })
  })

  t.test('a flood of what it refuses, and serves on', async (t) => {
    const texts = cases.map(({ text }) => text)

    const answers = await Promise.all([...texts, ...texts].map(async (text) => await exchange(t, target.port, text)))

    await target.isUnharmed(t, answers.flat())
  })
})
