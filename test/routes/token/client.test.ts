import t from 'tap'
import { build, FORM_HEADERS, isOAuthError, JOHN, logIn, postForm, requestToken, sendRaw } from '../../helper.ts'

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`
const FORM = new URLSearchParams(JOHN).toString()

const endpoints = [
  { url: '/token', form: FORM },
  { url: '/revoke', form: 'token=unknown' }
]

for (const { url, form } of endpoints) {
  t.test(`POST ${url} takes for the first-party client`, async (t) => {
    const app = await build(t)
    const accepted = [
      { name: 'its id in the body', more: '&client_id=first-party' },
      { name: 'its id in the header', authorization: basic('first-party:') },
      { name: 'its id in both places', authorization: basic('first-party:'), more: '&client_id=first-party' },
      { name: 'an empty pair', authorization: basic(':') },
      { name: 'an empty pair and its id in the body', authorization: basic(':'), more: '&client_id=first-party' }
    ]
    for (const { name, authorization, more = '' } of accepted) {
      t.test(name, async (t) => {
        const response = await postForm(app, url, form + more, authorization === undefined ? {} : { authorization })

        t.equal(response.statusCode, 200)
      })
    }
  })

  t.test(`POST ${url} refuses, with a challenge in answer to the header,`, async (t) => {
    const app = await build(t)
    const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)
    const refused = [
      { name: 'an unknown client in the header', authorization: basic('nobody:') },
      { name: 'a secret for the public client in the header', authorization: basic('first-party:secret') },
      { name: 'a pair without a colon', authorization: basic('first-party') },
      { name: 'spaces in the base64', authorization: 'Basic Zmlyc3Qt cGFydHk6' },
      { name: 'wrong padding', authorization: `${basic('first-party:')}=` },
      { name: 'bytes that are not UTF-8', authorization: `Basic ${Buffer.from('66697273742d70617274ff3a', 'hex').toString('base64')}` },
      { name: 'another scheme', authorization: 'Bearer x' }
    ]
    for (const { name, authorization } of refused) {
      t.test(name, async (t) => {
        const response = await postForm(app, url, form, { authorization })

        isOAuthError(t, response, 401, 'invalid_client')
        t.equal(response.headers['www-authenticate'], 'Basic realm="latchkey"')
        t.strictSame(hashes(), [])
      })
    }
  })

  t.test(`POST ${url} refuses, without a challenge,`, async (t) => {
    const app = await build(t)
    const refused = [
      { name: 'an unknown client in the body', more: '&client_id=nobody' },
      { name: 'a secret for the public client in the body', more: '&client_id=first-party&client_secret=x' },
      { name: 'a secret without a client', more: '&client_secret=x' }
    ]
    for (const { name, more } of refused) {
      t.test(name, async (t) => {
        const response = await postForm(app, url, form + more)

        isOAuthError(t, response, 401, 'invalid_client')
        t.notOk('www-authenticate' in response.headers)
      })
    }
  })

  t.test(`POST ${url} refuses client credentials in the header and in the body`, async (t) => {
    const app = await build(t)

    const response = await postForm(app, url, `${form}&client_id=first-party&client_secret=x`, { authorization: basic('first-party:x') })

    isOAuthError(t, response, 400, 'invalid_request')
  })

  t.test(`POST ${url} refuses to choose between`, async (t) => {
    const app = await build(t)
    const FORM_TYPE = `Content-Type: ${FORM_HEADERS['content-type']}`
    const GOOD = `Authorization: ${basic('first-party:')}`
    const BAD = `AUTHORIZATION: ${basic('nobody:')}`
    const ambiguous = [
      { name: 'a good and a bad Authorization header', headers: [FORM_TYPE, GOOD, BAD], status: 400 },
      { name: 'a bad and a good Authorization header', headers: [FORM_TYPE, BAD, GOOD], status: 400 },
      { name: 'two equal Authorization headers', headers: [FORM_TYPE, GOOD, GOOD], status: 400 },
      { name: 'a form and JSON by its Content-Type', headers: [FORM_TYPE, 'content-type: application/json'], status: 400 },
      { name: 'JSON and a form by its Content-Type', headers: ['Content-Type: application/json', FORM_TYPE], status: 415 }
    ]
    for (const { name, headers, status } of ambiguous) {
      t.test(name, async (t) => {
        const answer = await sendRaw(app, `POST ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers.join('\r\n')}\r\nContent-Length: ${form.length}\r\n\r\n${form}`)

        t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
        t.match(answer, '{"error":"invalid_request",')
      })
    }
  })
}

t.test('a client gets no token by a grant that it may not use', async (t) => {
  const app = await build(t)
  const handle = t.captureFn(async () => { throw new Error('nobody may come here') })
  app.grants.set('urn:example:new-grant', handle)

  const response = await requestToken(app, { grant_type: 'urn:example:new-grant' })

  isOAuthError(t, response, 400, 'unauthorized_client')
  t.strictSame(handle.calls, [])
})

t.test('a grant that is taken out is not supported any more', async (t) => {
  const app = await build(t)
  app.grants.delete('password')

  const response = await requestToken(app, JOHN)

  isOAuthError(t, response, 400, 'unsupported_grant_type')
})

t.test('the metadata lists exactly the grants that are accepted', async (t) => {
  const app = await build(t)
  const { refresh_token: refreshToken } = await logIn(app)
  const known = ['password', 'refresh_token', 'authorization_code', 'client_credentials', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code']

  const metadata = await app.inject('/.well-known/oauth-authorization-server')
  const answers = await Promise.all(known.map(async (grantType) => await requestToken(app, { ...JOHN, grant_type: grantType, refresh_token: refreshToken })))

  t.strictSame(metadata.json().grant_types_supported, known.filter((_, index) => answers[index]?.statusCode === 200))
  t.strictSame(answers.map((answer) => answer.json().error), [undefined, undefined, ...Array(4).fill('unsupported_grant_type')])
})
