import t from 'tap'
import { build, captureLog, FORM_HEADERS, isOAuthError, JOHN } from '../../helper.ts'

const FORM = new URLSearchParams(JOHN).toString()

t.test('credentials in the URL', async (t) => {
  const CANARY = 'kanarienvogel'
  const URL = `/token?grant_type=password&username=johndoe&password=${CANARY}`

  t.test('are refused, and are in no answer and no log', async (t) => {
    const log = captureLog()
    const app = await build(t, {}, log.logger)

    const responses = [
      await app.inject({ method: 'POST', url: URL }),
      await app.inject({ method: 'POST', url: URL, headers: FORM_HEADERS }),
      await app.inject({ method: 'POST', url: URL, headers: FORM_HEADERS, payload: FORM })
    ]

    for (const response of responses) {
      isOAuthError(t, response, 400, 'invalid_request')
      t.notMatch(response.body, CANARY)
    }
    t.equal(log.lines.filter(({ path }) => path === '/token').length, 3)
    t.notMatch(log.text(), CANARY)
  })

  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const) {
    t.test(`are refused with ${method} too, which /token does not know`, async (t) => {
      const log = captureLog()
      const app = await build(t, {}, log.logger)

      const response = await app.inject({ method, url: URL })

      t.equal(response.statusCode, 405)
      t.match(response.headers, { allow: 'POST', 'cache-control': 'no-store', pragma: 'no-cache' })
      t.notMatch(response.body, CANARY)
      t.notMatch(log.text(), CANARY)
    })
  }
})

t.test('another spelling of the path', async (t) => {
  const app = await build(t)

  for (const url of ['/token/', '/%74oken']) {
    t.test(`${url} has the same guards`, async (t) => {
      const headers = { 'content-type': 'application/json' }

      const accepted = await app.inject({ method: 'POST', url, headers: FORM_HEADERS, payload: FORM })
      const json = await app.inject({ method: 'POST', url, headers, payload: JSON.stringify(JOHN) })
      const repeated = await app.inject({ method: 'POST', url, headers: FORM_HEADERS, payload: `${FORM}&password=x` })

      t.equal(accepted.statusCode, 200)
      isOAuthError(t, json, 415, 'invalid_request')
      isOAuthError(t, repeated, 400, 'invalid_request')
    })
  }

  for (const url of ['//token', '/token;x', '/TOKEN', '/token%2f', '/token%00']) {
    t.test(`${url} leads nowhere`, async (t) => {
      const response = await app.inject({ method: 'POST', url, headers: FORM_HEADERS, payload: FORM })

      t.equal(response.statusCode, 404)
    })
  }
})
