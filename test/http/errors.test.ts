import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { PublicError, UnavailableError } from '../../lib/errors.ts'
import { build, captureLog, isOAuthError, JOHN, lockDatabase, logIn, postForm, readProfile, refresh, requestToken } from '../helper.ts'

const REQUEST_ID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-\\d+'
const INTERNAL = new RegExp(`^Something went wrong here; the log tells more about request ${REQUEST_ID}$`)
const SQL = "SQLITE_ERROR: near \"users\": select * from users where password_hash = '$argon2id$CANARY'"

/** Asserts an error body as all endpoints but those of OAuth have it, and nothing beside it. */
function isProblem (t: Test, response: LightMyRequestResponse, statusCode: number, code: string, error: string, message: string | RegExp): void {
  t.equal(response.statusCode, statusCode)
  t.strictSame(Object.keys(response.json()), ['statusCode', 'code', 'error', 'message'])
  t.match(response.json(), { statusCode, code, error, message })
  t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff' })
  t.notMatch(response.body, 'CANARY')
}

const nested = (): Error => Object.assign(new Error(SQL, { cause: new Error('the CANARY below it') }), { code: 'ERR_SQLITE_ERROR', errcode: 1 })

const thrown = [
  { name: 'an error of the database', value: nested() },
  { name: 'an error with a status of its own', value: Object.assign(new Error('CANARY'), { statusCode: 404 }) },
  { name: 'an error that looks like one of validation', value: Object.assign(new Error('CANARY'), { statusCode: 400, validation: [{ instancePath: '', message: 'CANARY' }], validationContext: 'body' }) },
  { name: 'an error whose code is a number', value: Object.assign(new Error('CANARY'), { code: 23505 }) },
  { name: 'a broken connection to elsewhere', value: Object.assign(new Error('read ECONNRESET CANARY'), { code: 'ECONNRESET' }) },
  { name: 'a fault of the framework that is not the caller\'s', value: Object.assign(new Error('CANARY'), { code: 'FST_ERR_REP_INVALID_PAYLOAD_TYPE', statusCode: 500 }) },
  { name: 'a text', value: 'CANARY' },
  { name: 'a number', value: 42 },
  { name: 'a plain object', value: { statusCode: 418, message: 'CANARY', headers: { 'x-leak': 'CANARY' } } },
  { name: 'null', value: null },
  { name: 'undefined', value: undefined },
  { name: 'a symbol', value: Symbol('CANARY') }
]

t.test('whatever is thrown behind an endpoint', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const { access_token: token } = await logIn(app)
  let value: unknown
  app.users.findForLogin = async () => { throw value }
  app.sessions.findLive = async () => { throw value }

  for (const row of thrown) {
    t.test(`${row.name} becomes a fixed text with the id of the request`, async (t) => {
      value = row.value
      const before = log.lines.length

      const problem = await readProfile(app, token)
      const oauth = await requestToken(app)

      isProblem(t, problem, 500, 'internal_error', 'Internal Server Error', INTERNAL)
      isOAuthError(t, oauth, 500, 'server_error')
      t.match(oauth.json().error_description, INTERNAL)
      const ids = log.lines.slice(before).filter(({ level }) => level === 50).map((line) => line.request_id)
      t.equal(ids.length, 2, 'each is logged once')
      t.match(problem.json().message, ids[0])
      t.match(oauth.json().error_description, ids[1])
    })
  }

  t.test('is in the log with its cause', async (t) => {
    const [line] = log.lines.filter(({ err }) => (err as { code?: string } | undefined)?.code === 'ERR_SQLITE_ERROR')

    t.match(line, { level: 50, msg: INTERNAL, request_id: new RegExp(REQUEST_ID) })
    const { message, stack } = line?.err as { message: string, stack: string }
    t.ok(message.includes(SQL))
    t.ok(stack.includes('errors.test.ts'))
    t.ok(stack.includes('caused by: Error: the CANARY below it'))
    t.match(log.lines.filter(({ err }) => err === 'CANARY'), [{ level: 50 }, { level: 50 }], 'also when it is no error')
  })

  t.test('has not harmed the process', async (t) => {
    t.equal((await app.inject('/health/ready')).statusCode, 200)
  })
})

t.test('what is said in public keeps its words, its status and its headers, and its cause stays inside', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const { access_token: token } = await logIn(app)
  app.users.findForLogin = app.sessions.findLive = async () => { throw new UnavailableError('Come back later', 7, { cause: nested() }) }

  const problem = await readProfile(app, token)
  const oauth = await requestToken(app)

  isProblem(t, problem, 503, 'temporarily_unavailable', 'Service Unavailable', /^Come back later$/)
  isOAuthError(t, oauth, 503, 'temporarily_unavailable')
  t.equal(oauth.json().error_description, 'Come back later')
  t.equal(problem.headers['retry-after'], '7')
  t.equal(oauth.headers['retry-after'], '7')
  t.equal(log.lines.filter(({ level, err }) => level === 50 && JSON.stringify(err).includes('CANARY')).length, 2)
})

t.test('a fault of the caller is no error in the log', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const { access_token: token } = await logIn(app)
  app.sessions.findLive = async () => { throw new PublicError(409, 'taken', 'It is taken') }

  const problem = await readProfile(app, token)

  isProblem(t, problem, 409, 'taken', 'Conflict', /^It is taken$/)
  t.same(log.lines.filter(({ level }) => Number(level) >= 40), [])
})

t.test('an error of another kind has an OAuth body on an OAuth endpoint', async (t) => {
  const app = await build(t)
  app.users.findForLogin = async () => { throw new PublicError(409, 'taken', 'It is taken') }

  isOAuthError(t, await requestToken(app), 409, 'invalid_request')
})

t.test('an error is not kept by caches where the answer would be', async (t) => {
  const app = await build(t)
  app.keyRing.trusted = () => { throw nested() }

  const response = await app.inject('/.well-known/jwks.json')

  isOAuthError(t, response, 500, 'server_error')
})

t.test('a real fault of the database is 503 on every endpoint that needs it, and over when it is', async (t) => {
  const app = await build(t)
  const tokens = await logIn(app)
  const release = lockDatabase(t, app)

  const answers = await Promise.all([requestToken(app), refresh(app, tokens.refresh_token), postForm(app, '/revoke', { token: tokens.refresh_token })])
  const profile = await readProfile(app, tokens.access_token)
  release()

  for (const answer of answers) {
    isOAuthError(t, answer, 503, 'temporarily_unavailable')
    t.equal(answer.json().error_description, 'The database does not answer; try again later')
    t.equal(answer.headers['retry-after'], '1')
  }
  t.equal(profile.statusCode, 200, 'who only reads does not notice')
  t.equal((await requestToken(app)).statusCode, 200)
})

const oauthFaults = [
  { name: 'no body', status: 400, options: {} },
  { name: 'no content type', status: 415, options: { payload: 'grant_type=password' } },
  { name: 'JSON', status: 415, options: { headers: { 'content-type': 'application/json' }, payload: JSON.stringify({ password: 'CANARY' }) } },
  { name: 'plain text', status: 415, options: { headers: { 'content-type': 'text/plain' }, payload: 'password=CANARY' } },
  { name: 'a broken escape', status: 400, options: { headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: 'password=CANARY%zz' } },
  { name: 'parameters in the URL', status: 400, options: { headers: { 'content-type': 'application/x-www-form-urlencoded' }, query: { password: 'CANARY' }, payload: 'a=b' } }
]

for (const path of ['/token', '/revoke']) {
  t.test(`${path} has OAuth bodies for what it never looks at`, async (t) => {
    const log = captureLog()
    const app = await build(t, {}, log.logger)

    for (const { name, status, options } of oauthFaults) {
      const response = await app.inject({ method: 'POST', url: path, ...options })

      t.comment(name)
      isOAuthError(t, response, status, 'invalid_request')
      t.notMatch(response.body, 'CANARY')
    }
    t.notMatch(log.text(), 'CANARY')
    t.same(log.lines.filter(({ level }) => Number(level) >= 40), [])
  })
}

t.test('a value that is not valid is named by its place and not repeated', async (t) => {
  const log = captureLog()
  const app = await build(t, {}, log.logger)
  const { access_token: token } = await logIn(app, JOHN)

  const response = await app.inject({ url: '/verify', query: { scope: 'CANARY"' }, headers: { authorization: `Bearer ${token}` } })

  isProblem(t, response, 400, 'validation_failed', 'Bad Request', /^querystring\.scope must match pattern /)
  t.notMatch(log.text(), 'CANARY')
})
