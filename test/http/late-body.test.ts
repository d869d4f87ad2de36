import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { buildWithRoutes } from '../collect-routes.ts'
import { listen, open } from '../raw-http.ts'
import { allRights, UNKNOWN_ID } from '../routes/people.ts'
import { audited, enter, logInAgain, PASSWORD } from '../routes/users-me/requests.ts'

/** What would be done by those that need a body. */
const BODIES: Readonly<Record<string, object>> = {
  'PATCH /users/me': { full_name: 'Mallory' },
  'DELETE /users/me': { current_password: PASSWORD },
  'PUT /users/me/password': { current_password: PASSWORD, new_password: 'staple of another kind' },
  'POST /users': { username: 'mallory', email: 'mallory@example.com', roles: ['admin'] },
  'PATCH /users/:id': { roles: ['admin'] },
  'PUT /roles/:name': { scopes: ['users:write'] },
  'POST /keys': { immediately: true }
}

t.test('what is allowed when the headers come is not done when the session ends before the body', async (t) => {
  const { app, routes } = await buildWithRoutes(t)
  const { id: targetId } = await enter(app, 'ada')
  const { id } = await enter(app, 'admin', ['admin'])
  const port = await listen(app)
  const guarded = routes.filter(({ method, config }) => !/^(?:GET|HEAD)$/.test(method) && (config?.scopes ?? []).length > 0)

  t.ok(guarded.length > 12, 'routes were found')
  const needy = guarded.filter(({ schema }) => schema?.body !== undefined).map(({ method, url }) => `${method} ${url}`)
  t.strictSame(needy.toSorted(), Object.keys(BODIES).toSorted(), 'there is a body for each that needs one')

  for (const { method, url } of guarded) {
    t.test(`${method} ${url}`, async (t) => {
      const { access_token: token } = await logInAgain(app, 'admin')
      const body = JSON.stringify(BODIES[`${method} ${url}`] ?? {})
      const path = url.replace('/users/:id', `/users/${targetId}`).replace(':id', UNKNOWN_ID).replace(':name', 'power')
      const connection = await open(t, port)
      const lookups = t.capture(app.sessions, 'findLive', app.sessions.findLive)
      connection.send(`${method} ${path} HTTP/1.1\r\nhost: latchkey\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body[0] as string}`)
      while (lookups().length === 0) await setImmediate()

      await app.accounts.logout(id, {})
      const before = [await allRights(app), app.keyRing.trusted(), await audited(app, 'signing_key_rotated')]
      connection.send(body.slice(1))
      const [answer] = await connection.answers(1)

      t.equal(answer?.status, 401)
      t.match(JSON.parse(answer?.body ?? ''), { code: 'invalid_token' })
      t.strictSame([await allRights(app), app.keyRing.trusted(), await audited(app, 'signing_key_rotated')], before)
    })
  }
})
