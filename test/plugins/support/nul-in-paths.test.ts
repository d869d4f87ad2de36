import t from 'tap'
import { build, logIn } from '../../helper.ts'
import { emptySchema, needsPostgres } from '../../postgres.ts'

t.test('Who may not read is told so before he is told that a path leads nowhere', async (t) => {
  const app = await build(t)

  t.equal((await app.inject({ url: '/users/%00' })).statusCode, 401)
})

if (await needsPostgres(t)) {
  t.test('A path that holds U+0000 leads nowhere, whatever the database makes of it', async (t) => {
    const app = await build(t, { DATABASE_URL: await emptySchema(t) })
    await app.accounts.update((await app.users.find('johndoe'))?.id ?? '', { roles: ['admin'] }, {})
    const { access_token: token } = await logIn(app)

    for (const path of ['/users/a%00', '/users/%00', '/users/a%01']) {
      const response = await app.inject({ url: path, headers: { authorization: `Bearer ${token}` } })
      t.strictSame([response.statusCode, response.json().code], [404, 'not_found'])
    }
  })

  t.test('Elsewhere U+0000 is the fault of the caller', async (t) => {
    const app = await build(t, { DATABASE_URL: await emptySchema(t) })
    await app.accounts.update((await app.users.find('johndoe'))?.id ?? '', { roles: ['admin'] }, {})
    const { access_token: token } = await logIn(app)

    const response = await app.inject({ url: '/audit-events?user_id=%00', headers: { authorization: `Bearer ${token}` } })

    t.strictSame([response.statusCode, response.json().code], [400, 'validation_failed'])
  })
}
