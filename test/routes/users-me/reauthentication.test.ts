import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { UnavailableError } from '../../../lib/errors.ts'
import { build } from '../../helper.ts'
import { audited, enter, EVERYWHERE, goodFor, isProblem, mails, PASSWORD, send, sidOf, stored } from './requests.ts'

const acts = [
  { method: 'PATCH', url: '/users/me', body: { email: 'mallory@example.com', full_name: 'Mallory' } },
  { method: 'PUT', url: '/users/me/password', body: { new_password: 'the password of Mallory' } },
  { method: 'DELETE', url: '/users/me', body: {} }
] as const

async function removePassword (app: FastifyInstance, id: string): Promise<void> {
  await app.db.updateTable('users').set({ password_hash: null }).where('id', '=', id).execute()
}

for (const { method, url, body } of acts) {
  t.test(`${method} ${url}`, async (t) => {
    for (const [name, password] of Object.entries({
      'a wrong password': 'wrong',
      'the password in capitals': PASSWORD.toUpperCase(),
      'a password that nobody can have': 'x'.repeat(1000),
      'more than the password': `${PASSWORD} `
    })) {
      t.test(`${name} is refused after one hash of work, and audited`, async (t) => {
        const app = await build(t)
        const { id, ...tokens } = await enter(app)
        const before = await stored(app, id)
        const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

        const response = await send(app, tokens.access_token, method, url, { ...body, current_password: password })

        isProblem(t, response, 403, 'wrong_password', 'The current password is wrong')
        t.equal(response.headers['www-authenticate'], undefined)
        t.equal(hashes().length, 1)
        t.strictSame(await audited(app, 'user_password_changed'), [
          { outcome: 'failure', actorId: id, userId: id, sessionId: sidOf(tokens), clientId: 'first-party', ip: '127.0.0.1', details: { request: `${method} ${url}` } }
        ])
        t.strictSame(await stored(app, id), before)
        t.strictSame(await mails(app), [])
        t.strictSame(await goodFor(app, tokens), EVERYWHERE)
      })
    }

    t.test('a lone surrogate matches nothing', async (t) => {
      const app = await build(t)
      const { access_token: token } = await enter(app)

      const response = await send(app, token, method, url, JSON.stringify({ ...body, current_password: 'PASSWORD' }).replace('PASSWORD', '\\ud800'))

      isProblem(t, response, 403, 'wrong_password')
    })

    t.test('for a user without a password every one is wrong, after the same work', async (t) => {
      const app = await build(t)
      const { id, access_token: token } = await enter(app)
      await removePassword(app, id)
      const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

      for (const password of ['null', 'undefined', PASSWORD]) {
        const response = await send(app, token, method, url, { ...body, current_password: password })

        isProblem(t, response, 403, 'wrong_password', 'The current password is wrong')
      }
      t.strictSame(hashes().map(({ args }) => args[0]), [null, null, null])
      t.equal((await send(app, token, method, url, { ...body, current_password: '' })).statusCode, 400)
    })

    t.test('the password of somebody who has the name meanwhile is wrong', async (t) => {
      const app = await build(t)
      const { access_token: token } = await enter(app)
      await enter(app, 'ben')
      const find = app.users.findForLogin
      t.intercept(app.users, 'findForLogin', { value: async () => await find('ben') })
      const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

      const response = await send(app, token, method, url, { ...body, current_password: PASSWORD })

      isProblem(t, response, 403, 'wrong_password')
      t.strictSame(hashes().map(({ args }) => args[0]), [null])
    })

    t.test('who is gone meanwhile has no password', async (t) => {
      const app = await build(t)
      const { access_token: token } = await enter(app)
      t.intercept(app.users, 'findForLogin', { value: async () => undefined })

      const response = await send(app, token, method, url, { ...body, current_password: PASSWORD })

      isProblem(t, response, 403, 'wrong_password')
    })

    t.test('where no hash can be made in time the caller is told when to try again', async (t) => {
      const app = await build(t)
      const { id, access_token: token } = await enter(app)
      const before = await stored(app, id)
      t.intercept(app.passwordHasher, 'verify', { value: async () => { throw new UnavailableError('Busy', 3) } })

      const response = await send(app, token, method, url, { ...body, current_password: PASSWORD })

      isProblem(t, response, 503, 'temporarily_unavailable')
      t.equal(response.headers['retry-after'], '3')
      t.strictSame(await stored(app, id), before)
      t.strictSame(await audited(app, 'user_password_changed'), [])
    })
  })
}
