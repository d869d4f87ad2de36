import t from 'tap'
import { build } from '../helper.ts'
import { addUser, mailToken, reset, verify } from '../mailed-links.ts'

const PAGES = ['password-reset', 'email-verification']

for (const name of PAGES) {
  t.test(`the page /${name}`, async (t) => {
    const app = await build(t)

    t.test('loads what it needs from here alone, runs nothing inline and is never kept', async (t) => {
      const { statusCode, headers, body } = await app.inject(`/${name}`)

      t.equal(statusCode, 200)
      t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'cross-origin-opener-policy': 'same-origin' })
      const policy = String(headers['content-security-policy']).split('; ')
      t.strictSame(policy.toSorted(), [
        "base-uri 'none'", "connect-src 'self'", "default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "img-src 'self'",
        "require-trusted-types-for 'script'", "script-src 'self'", "style-src 'self'", "trusted-types 'none'"
      ])
      t.notMatch(body, /<style|style=|\son\w+=|<script(?![^>]* src=)|https?:|javascript:|\{\w+\}/)
      t.match(body, /^<!doctype html>\n<html lang="en">/)
    })

    for (const { url, root } of [{ url: `/${name}`, root: '' }, { url: `/${name}/`, root: '../' }, { url: `/${name}?from=mail`, root: '' }]) {
      t.test(`finds its files at ${url}`, async (t) => {
        const { body } = await app.inject(url)
        const files = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file]) => file as string)

        t.strictSame(files.toSorted(), ['favicon.svg', 'logo.svg', 'page.css', 'page.js'].map((file) => `${root}pages/${file}`))
        for (const file of files) {
          const response = await app.inject(new URL(file, `http://localhost${url}`).pathname)
          t.equal(response.statusCode, 200, file)
          t.match(response.headers, { 'content-type': /^(?:text\/css|text\/javascript|image\/svg\+xml)/, 'x-content-type-options': 'nosniff' })
        }
      })
    }

    t.test('is for reading: other methods belong to the API', async (t) => {
      const response = await app.inject({ method: 'DELETE', url: `/${name}` })

      t.equal(response.statusCode, 405)
      t.equal(response.headers.allow, 'GET, HEAD, POST, PUT')
    })
  })
}

t.test('the page for a password says how long it must be', async (t) => {
  const app = await build(t, { PASSWORD_MIN_LENGTH: '12' })

  t.match((await app.inject('/password-reset')).body, 'At least 12 characters')
})

t.test('who only looks at a link, as mail scanners do, uses nothing up', async (t) => {
  const app = await build(t)
  await addUser(app)
  const token = await mailToken(app, 'email_verification')

  for (const method of ['GET', 'HEAD'] as const) {
    for (const url of ['/email-verification', `/email-verification?token=${token}`, `/email-verification#token=${token}`]) {
      t.equal((await app.inject({ method, url })).statusCode, 200)
    }
  }
  t.equal((await verify(app, token)).statusCode, 204)

  const resetToken = await mailToken(app, 'password_reset')
  for (const method of ['GET', 'HEAD'] as const) await app.inject({ method, url: `/password-reset?token=${resetToken}` })
  t.equal((await reset(app, resetToken)).statusCode, 204)
})
