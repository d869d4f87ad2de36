import t from 'tap'
import { build, captureLog, FORM_HEADERS, JOHN } from '../../helper.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }

t.test('every line about a request names the trace of the gateway, and no answer does', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const before = log.lines.length

  const answers = [
    await app.inject({ url: '/users/me', headers: { ...headers, authorization: 'Bearer broken' } }),
    await app.inject({ url: '/nothing', headers }),
    await app.inject({ method: 'POST', url: '/token', headers: { ...headers, ...FORM_HEADERS }, payload: new URLSearchParams(JOHN).toString() })
  ]

  const lines = log.lines.slice(before)
  t.strictSame(answers.map(({ statusCode }) => statusCode), [401, 404, 200])
  t.match(lines, [{ msg: 'The access token is refused', trace_id: TRACE }, { msg: 'request', trace_id: TRACE, request_id: String }, { path: '/nothing', trace_id: TRACE }, { path: '/token', trace_id: TRACE }])
  for (const { headers, body } of answers) t.notMatch(JSON.stringify(headers) + body, TRACE)
})

t.test('without a valid trace there is none in the log', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)

  await app.inject('/users/me')
  await app.inject({ url: '/users/me', headers: { traceparent: '00-CANARY-00f067aa0ba902b7-01' } })

  t.notMatch(log.text(), /trace_id|CANARY/)
})
