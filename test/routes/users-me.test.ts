import t from 'tap'
import { build, createUser, JOHN, logIn, readProfile, stopClock } from '../helper.ts'

t.test('GET /users/me shows the user whose token it is', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app, JOHN)

  const response = await readProfile(app, token)

  t.equal(response.statusCode, 200)
  t.match(response.json(), { username: 'johndoe', email: 'johndoe@example.com', email_verified: true, full_name: 'John Doe', disabled: false, roles: ['user'] })
  t.same(Object.keys(response.json()).toSorted(), ['created_at', 'disabled', 'email', 'email_verified', 'full_name', 'id', 'last_login_at', 'roles', 'updated_at', 'username'])
})

t.test('what is not known of a user is null', async (t) => {
  const app = await build(t)
  stopClock(app, Date.UTC(2030, 0, 31, 9, 30))
  const { id } = await createUser(app)
  const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'ada', password: 'correct horse battery' })
  await app.db.updateTable('users').set({ last_login_at: null }).where('id', '=', id).execute()

  const response = await readProfile(app, token)

  t.strictSame(response.json(), {
    id,
    username: 'ada',
    email: null,
    email_verified: false,
    full_name: null,
    disabled: false,
    roles: ['user'],
    created_at: '2030-01-31T09:30:00.000Z',
    updated_at: '2030-01-31T09:30:00.000Z',
    last_login_at: null
  })
})

t.test('the profile shows the user as he is now', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app, JOHN)
  t.equal((await readProfile(app, token)).json().full_name, 'John Doe')

  await app.db.updateTable('users').set({ full_name: 'John Q. Doe' }).execute()

  t.equal((await readProfile(app, token)).json().full_name, 'John Q. Doe')
})
