import t from 'tap'
import { build, postForm, requestToken } from '../../helper.ts'
import { isInvalidToken } from '../../tokens.ts'
import { audited, enter, EVERYWHERE, goodFor, isProblem, logInAgain, PASSWORD, send, sidOf } from './requests.ts'

t.test('DELETE /users/me/sessions/{id} ends that session at once', async (t) => {
  const app = await build(t)
  const { id, ...own } = await enter(app)
  const [other, third] = [await logInAgain(app), await logInAgain(app)]

  const response = await send(app, own.access_token, 'DELETE', `/users/me/sessions/${sidOf(other)}`)

  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.strictSame(await goodFor(app, other), [])
  t.strictSame(await goodFor(app, own), EVERYWHERE)
  t.strictSame(await goodFor(app, third), EVERYWHERE)
  t.strictSame(await audited(app, 'session_revoked'), [{ outcome: 'success', actorId: id, userId: id, sessionId: sidOf(other), clientId: 'first-party', ip: '127.0.0.1', details: null }])
})

t.test('the session of the request may be the one', async (t) => {
  const app = await build(t)
  const own = await enter(app)

  const response = await send(app, own.access_token, 'DELETE', `/users/me/sessions/${sidOf(own)}`)

  t.equal(response.statusCode, 204)
  isInvalidToken(t, await send(app, own.access_token, 'GET', '/users/me/sessions'))
})

t.test('what is no live session of the user is not found, with the same bytes', async (t) => {
  const app = await build(t)
  const own = await enter(app)
  const ofBen = await enter(app, 'ben')
  const over = await logInAgain(app)
  await postForm(app, '/revoke', { token: over.refresh_token })
  const ids: Record<string, string> = {
    'a session of somebody else': sidOf(ofBen),
    'a session that is over': sidOf(over),
    'a session that nobody has': '0198c0de-0000-7000-8000-000000000000',
    'an id in capitals': sidOf(own).toUpperCase(),
    'no UUID': 'x',
    'a number': '1',
    'a NUL': '%00',
    'a UUID and a NUL': `${sidOf(own)}%00`,
    SQL: "'%20or%20'1'='1",
    'a wildcard': '%25',
    'a user\'s id': ofBen.id,
    'two ids': `${sidOf(own)},${sidOf(ofBen)}`,
    'a long text': 'x'.repeat(100)
  }
  const unknown = await send(app, own.access_token, 'DELETE', '/users/me/sessions/0198c0de-0000-7000-8000-ffffffffffff')
  isProblem(t, unknown, 404, 'not_found')
  const asked = t.capture(app.userSessions, 'revoke', app.userSessions.revoke)

  for (const [name, id] of Object.entries(ids)) {
    await t.test(name, async (t) => {
      const response = await send(app, own.access_token, 'DELETE', `/users/me/sessions/${id}`)

      t.strictSame([response.statusCode, response.body], [404, unknown.body])
    })
  }

  t.ok(asked().every(({ args: [, id] }) => /^[0-9a-f-]{36}$/.test(id)), 'nothing else reaches the database')
  t.strictSame(await goodFor(app, ofBen), EVERYWHERE)
  t.strictSame(await goodFor(app, own), EVERYWHERE)
  t.strictSame(await audited(app, 'session_revoked'), [])
})

t.test('of parallel requests that end a session one did it', async (t) => {
  const app = await build(t)
  const own = await enter(app)
  const other = await logInAgain(app)

  const responses = await Promise.all(Array.from({ length: 10 }, async () => await send(app, own.access_token, 'DELETE', `/users/me/sessions/${sidOf(other)}`)))

  t.equal(responses.filter(({ statusCode }) => statusCode === 204).length, 1)
  t.equal(responses.filter(({ statusCode }) => statusCode === 404).length, 9)
  t.equal((await audited(app, 'session_revoked')).length, 1)
})

for (const { query, ownEnds } of [
  { query: '', ownEnds: false },
  { query: '?current=false', ownEnds: false },
  { query: '?current=true', ownEnds: true }
]) {
  t.test(`DELETE /users/me/sessions${query} ends all sessions${ownEnds ? '' : ' but this one'}`, async (t) => {
    const app = await build(t)
    const { id, ...own } = await enter(app)
    const others = [await logInAgain(app), await logInAgain(app)]
    const ofBen = await enter(app, 'ben')

    const response = await send(app, own.access_token, 'DELETE', `/users/me/sessions${query}`)

    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    for (const other of others) t.strictSame(await goodFor(app, other), [])
    t.strictSame(await goodFor(app, own), ownEnds ? [] : EVERYWHERE)
    t.strictSame(await goodFor(app, ofBen), EVERYWHERE)
    t.match(await audited(app, 'user_logged_out'), [{ outcome: 'success', actorId: id, userId: id, details: { sessions: ownEnds ? 3 : 2 } }])
    t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password: PASSWORD })).statusCode, 200)
  })
}

t.test('a misspelt query ends nothing', async (t) => {
  const app = await build(t)
  const own = await enter(app)
  const other = await logInAgain(app)
  for (const query of ['current', 'current=', 'current=1', 'current=yes', 'current=TRUE', 'current=true&current=false', 'Current=true', 'except=x']) {
    isProblem(t, await send(app, own.access_token, 'DELETE', `/users/me/sessions?${query}`), 400, 'validation_failed')
  }
  t.strictSame(await goodFor(app, other), EVERYWHERE)
  t.strictSame(await goodFor(app, own), EVERYWHERE)
})
