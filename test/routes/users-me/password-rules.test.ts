import t from 'tap'
import { build, requestToken } from '../../helper.ts'
import { enter, isProblem, PASSWORD, send, stored } from './requests.ts'

const refused: Record<string, { password: string, message?: RegExp }> = {
  '14 characters': { password: 'grmblfxwhqzpyt', message: /at least 15 characters/ },
  '257 characters': { password: `${'grmblfxwhqzpyt'.repeat(20)}`.slice(0, 257), message: /at most 256/ },
  '8 characters outside the BMP': { password: '😀😂🥰🤖👻🎃🐙🦊', message: /at least 15 characters/ },
  'a word twice': { password: 'passwordpassword' },
  'digits in their order': { password: '123456789012345' },
  'keys in their order': { password: 'qwertyuiopasdfgh' },
  'the username inside': { password: 'my-name-is-lovelace-ok', message: /username/ },
  'the address inside': { password: 'LOVELACE@example.com', message: /e-mail/ },
  'the name of the service': { password: 'latchkeylatchkey', message: /name of this service/ },
  'a NUL inside': { password: 'grmblfxwhqzpytv\u0000more', message: /valid Unicode/ }
}

for (const [name, { password, message }] of Object.entries(refused)) {
  t.test(`${name}: refused with the reason, before the current password is looked at`, async (t) => {
    const app = await build(t)
    const { id, access_token: token } = await enter(app, 'lovelace')
    const before = await stored(app, id)
    const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

    const response = await send(app, token, 'PUT', '/users/me/password', { current_password: PASSWORD, new_password: password })

    isProblem(t, response, 400, 'weak_password', message)
    t.notMatch(response.body, password)
    t.equal(hashes().length, 0)
    t.strictSame(await stored(app, id), before)
  })
}

t.test('a lone surrogate is refused', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)

  const response = await send(app, token, 'PUT', '/users/me/password', `{"current_password":"${PASSWORD}","new_password":"grmblfxwhqzpyt\\ud800"}`)

  isProblem(t, response, 400, 'weak_password')
})

// Two of that length that differ in the last character only.
const long = 'grmblfxwhqzpyt vnkjd '.repeat(20)

const accepted: Record<string, { password: string, other: string }> = {
  '15 characters': { password: 'grmblfxwhqzpytv', other: 'grmblfxwhqzpyt' },
  '64 characters': { password: long.slice(0, 64), other: long.slice(0, 63) },
  '100 characters, of which the last counts': { password: `${long.slice(0, 99)}x`, other: `${long.slice(0, 99)}y` },
  '256 characters': { password: long.slice(0, 256), other: long.slice(0, 255) },
  'large and small letters': { password: 'Grmblfxwhqzpytv', other: 'grmblfxwhqzpytv' },
  'spaces around': { password: ' grmblfxwhqzpytv ', other: 'grmblfxwhqzpytv' },
  'every sign of ASCII': { password: ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', other: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~' },
  '15 characters outside the BMP': { password: '😀😂🥰🤖👻🎃🐙🦊🍕🚀🎸🧩🪁🏔🌋', other: '😀😂🥰🤖👻🎃🐙🦊🍕🚀🎸🧩🪁🏔🌊' },
  'Chinese and Japanese': { password: '馬電池正しいホッチキスの針金と紙', other: '馬電池正しいホッチキスの針金と' }
}

for (const [name, { password, other }] of Object.entries(accepted)) {
  t.test(`${name}: accepted, and compared as a whole`, async (t) => {
    const app = await build(t)
    const { access_token: token } = await enter(app)

    const response = await send(app, token, 'PUT', '/users/me/password', { current_password: PASSWORD, new_password: password })

    t.equal(response.statusCode, 204)
    t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password })).statusCode, 200)
    t.equal((await requestToken(app, { grant_type: 'password', username: 'ada', password: other })).statusCode, 400)
  })
}

t.test('a password is the same however its characters are composed', async (t) => {
  const app = await build(t)
  const { access_token: token } = await enter(app)
  const password = 'grmblfxwhqzpytv é'

  const changed = await send(app, token, 'PUT', '/users/me/password', { current_password: PASSWORD, new_password: password.normalize('NFD') })
  t.equal(changed.statusCode, 204)

  const back = await send(app, token, 'PUT', '/users/me/password', { current_password: password.normalize('NFC'), new_password: PASSWORD })
  t.equal(back.statusCode, 204)
})

t.test('the operator may ask for fewer characters', async (t) => {
  const app = await build(t, { PASSWORD_MIN_LENGTH: '8' })
  const { access_token: token } = await enter(app)

  const response = await send(app, token, 'PUT', '/users/me/password', { current_password: PASSWORD, new_password: 'grmblfxw' })

  t.equal(response.statusCode, 204)
})
