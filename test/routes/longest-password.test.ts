import t from 'tap'
import { build, requestToken } from '../helper.ts'
import { addUser, mailToken, PASSWORD, reset, sendJson } from '../mailed-links.ts'
import { enter, send } from './users-me/requests.ts'

// Letters of Greek that consist of four characters each when they are decomposed, which is as many as there are.
const LETTERS = ['\u1F82', '\u1F92', '\u1FA2']
const COMPOSED = Array.from({ length: 256 }, (_, index) => LETTERS[(index * index + Math.floor(index / 7)) % 3]).join('')
const DECOMPOSED = COMPOSED.normalize('NFD')

type App = Awaited<ReturnType<typeof build>>

async function signUp (app: App, password: string) {
  return await sendJson(app, 'POST', '/signup', { username: 'ada', email: 'ada@example.com', password })
}

async function resetPassword (app: App, password: string) {
  await addUser(app)
  return await reset(app, await mailToken(app, 'password_reset'), password)
}

async function changePassword (app: App, password: string) {
  const { access_token: token } = await enter(app)
  return await send(app, token, 'PUT', '/users/me/password', { current_password: PASSWORD, new_password: password })
}

for (const [name, set] of Object.entries({ signUp, resetPassword, changePassword })) {
  t.test(`${name}: 256 characters are not too long however they are composed`, async (t) => {
    t.equal(DECOMPOSED.length, 4 * 256)
    const app = await build(t, { REGISTRATION: 'open' })

    t.match(await set(app, DECOMPOSED), { statusCode: /20[24]/ })

    for (const password of [COMPOSED, DECOMPOSED]) {
      t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password })).statusCode, 200)
    }
  })
}
