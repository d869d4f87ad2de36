import t from 'tap'
import { build, createUser, logIn, postForm, readProfile, setPassword } from '../helper.ts'
import { isInvalidToken } from '../tokens.ts'

const app = await build(t)

t.test('a token dies with its session, at once', async (t) => {
  const ends: Record<string, (token: string, userId: string) => Promise<unknown>> = {
    'a log-out': async (token) => await postForm(app, '/revoke', { token }),
    'the end of all sessions': async (_token, userId) => await app.accounts.logout(userId, {}),
    'a new password': async (_token, userId) => { await setPassword(app, userId, await app.passwordHasher.hash('another good password')) },
    'a disabled user': async (_token, userId) => await app.accounts.update(userId, { disabled: true }, {})
  }
  for (const [name, end] of Object.entries(ends)) {
    t.test(name, async (t) => {
      const { id, username } = await createUser(app, { username: name.replaceAll(' ', '-') })
      const { access_token: token } = await logIn(app, { grant_type: 'password', username, password: 'correct horse battery' })
      t.equal((await readProfile(app, token)).statusCode, 200)

      await end(token, id)

      isInvalidToken(t, await readProfile(app, token))
    })
  }
})

t.test('an enabled user\'s old tokens stay dead', async (t) => {
  const { id } = await createUser(app, { username: 'back' })
  const { access_token: token } = await logIn(app, { grant_type: 'password', username: 'back', password: 'correct horse battery' })

  await app.accounts.update(id, { disabled: true }, {})
  await app.accounts.update(id, { disabled: false }, {})

  isInvalidToken(t, await readProfile(app, token))
})
