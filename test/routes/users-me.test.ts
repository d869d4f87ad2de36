import t from 'tap'
import { build, JOHN, logIn, readProfile } from '../helper.ts'

t.test('GET /users/me shows the user whose token it is', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app, JOHN)

  const response = await readProfile(app, token)

  t.equal(response.statusCode, 200)
  t.match(response.json(), { username: 'johndoe', email: 'johndoe@example.com', email_verified: true, full_name: 'John Doe', disabled: false, roles: ['user'] })
  t.same(Object.keys(response.json()).toSorted(), ['created_at', 'disabled', 'email', 'email_verified', 'full_name', 'id', 'last_login_at', 'roles', 'updated_at', 'username'])
})
