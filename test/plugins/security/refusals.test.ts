import t from 'tap'
import { build, captureLog, logIn, lockDatabase, readProfile, stopClock } from '../../helper.ts'
import { enterAs, enterWith } from '../../routes/people.ts'
import { audited, isProblem } from '../../routes/users-me/requests.ts'

const MINUTE = 60_000

t.test('what somebody tried whose token does not allow it is in the audit log', async (t) => {
  const app = await build(t)
  const { id, send } = await enterAs(app, 'ada')

  const response = await send('PATCH', '/users/secret?secret=1', { disabled: true })

  isProblem(t, response, 403, 'insufficient_scope')
  const [refusal, ...others] = await app.db.selectFrom('audit_events').selectAll().where('type', '=', 'authorization_refused').execute()
  const session = await app.db.selectFrom('sessions').select('id').where('user_id', '=', id).executeTakeFirstOrThrow()
  t.strictSame(others, [])
  t.match(refusal, { outcome: 'failure', actor_id: id, user_id: id, session_id: session.id, client_id: 'first-party', ip: '127.0.0.1', user_agent: 'lightMyRequest', request_id: /-\d+$/ })
  t.strictSame(JSON.parse(refusal?.details ?? ''), { error: 'insufficient_scope', request: 'PATCH /users/:id', scope: 'users:write' })
  t.notMatch(JSON.stringify(refusal), 'secret')
})

t.test('what the gateway refused is there too', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  const { statusCode } = await app.inject({ url: '/verify/orders?scope=orders:read%20orders:write', headers: { authorization: `Bearer ${token}` } })

  t.equal(statusCode, 403)
  t.match(await audited(app, 'authorization_refused'), [{ details: { error: 'insufficient_scope', request: 'GET /verify/*', scope: 'orders:read orders:write' } }])
})

t.test('of a flood of refusals the first twenty of each minute are there, for each user', async (t) => {
  const app = await build(t)
  const [ada, ben] = [await enterAs(app, 'ada'), await enterAs(app, 'ben')]
  const clock = stopClock(app, Math.floor(Date.now() / MINUTE) * MINUTE)
  const refuse = async ({ send }: typeof ada, times: number): Promise<void> => {
    for (let count = 0; count < times; count++) isProblem(t, await send('GET', '/users'), 403, 'insufficient_scope')
  }

  await refuse(ada, 22)
  t.equal((await audited(app, 'authorization_refused')).length, 20)
  await refuse(ben, 1)
  clock.advance(MINUTE - 1)
  await refuse(ada, 1)
  t.equal((await audited(app, 'authorization_refused')).length, 21)
  clock.advance(1)
  await refuse(ada, 21)

  t.equal((await audited(app, 'authorization_refused')).length, 41)
})

t.test('what is refused for another reason, or allowed, is not', async (t) => {
  const app = await build(t)
  const { send, access_token: token } = await enterWith(app, 'ada', 'users:read')

  await readProfile(app, token)
  await app.inject('/users')
  await app.inject({ url: '/users', headers: { authorization: 'Bearer x' } })
  await send('GET', '/users/x')
  await send('GET', '/users?limit=0')
  await send('DELETE', '/users/me', { current_password: 'wrong' })

  t.strictSame(await audited(app, 'authorization_refused'), [])
})

t.test('a refusal that can not be written stays one, and the log says so', async (t) => {
  const { logger, text } = captureLog('error')
  const app = await build(t, {}, logger)
  const { send } = await enterAs(app, 'ada')
  t.intercept(app.audit, 'record', { value: async () => { throw new Error('disk full') } })

  const response = await send('GET', '/users')

  isProblem(t, response, 403, 'insufficient_scope')
  t.match(text(), /disk full/)
  t.match(text(), 'A refusal could not be written to the audit log')
})

t.test('a refusal is answered when its event is written', async (t) => {
  const app = await build(t)
  const { send } = await enterAs(app, 'ada')
  const release = lockDatabase(t, app)
  const calls = t.capture(app.audit, 'record', app.audit.record)

  let isAnswered = false
  const answer = send('GET', '/users').then((response) => {
    isAnswered = true
    return response
  })
  while (calls().length === 0) await new Promise(setImmediate)
  t.equal(isAnswered, false)
  release()

  t.equal((await answer).statusCode, 403)
  t.equal((await audited(app, 'authorization_refused')).length, 1)
})
