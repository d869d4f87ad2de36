import t from 'tap'
import { build, createUser, logIn, readProfile } from '../../helper.ts'

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })
const ADA = { grant_type: 'password', username: 'ada', password: 'correct horse battery' }

t.test('a role that is lost is lost at once, and is back at once', async (t) => {
  const app = await build(t)
  const admin = await createUser(app, { roles: ['admin'] })
  const { access_token: token } = await logIn(app, ADA)
  const mayReadUsers = async (): Promise<number> => (await app.inject({ url: '/verify?scope=users:read', headers: bearer(token) })).statusCode
  t.equal(await mayReadUsers(), 204)

  await app.db.deleteFrom('user_roles').where('user_id', '=', admin.id).execute()
  t.equal(await mayReadUsers(), 403)
  t.equal((await readProfile(app, token)).statusCode, 200)

  await app.db.insertInto('user_roles').values({ user_id: admin.id, role: 'admin' }).execute()
  t.equal(await mayReadUsers(), 204)
})

t.test('a scope that was not asked for at log-in is not there, whatever the roles say', async (t) => {
  const app = await build(t)
  await createUser(app, { roles: ['admin'] })
  const { access_token: token } = await logIn(app, { ...ADA, scope: 'profile' })

  const response = await app.inject({ url: '/verify?scope=users:read', headers: bearer(token) })

  t.equal(response.statusCode, 403)
})

t.test('roles that allow nothing leave nothing', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)

  await app.db.updateTable('roles').set({ scopes: '' }).execute()

  t.equal((await readProfile(app, token)).statusCode, 403)
  t.equal((await app.inject({ url: '/verify', headers: bearer(token) })).headers['x-auth-scope'], '')
})
