import t from 'tap'
import { build, captureLog } from '../helper.ts'

const PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self';"
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-initializer.js', 'theme/latchkey.css', 'theme/favicon.svg']

t.test('GET / leads to the documentation by a relative URL, so that it does so behind a path prefix too', async (t) => {
  const app = await build(t)

  const response = await app.inject('/')

  t.equal(response.statusCode, 302)
  t.equal(response.headers.location, 'docs')
})

for (const { url, folder } of [{ url: '/docs', folder: './docs/static' }, { url: '/docs/', folder: './static' }]) {
  t.test(`GET ${url} is the page, made for every screen, with what it needs beside it`, async (t) => {
    const app = await build(t)

    const { statusCode, headers, body } = await app.inject(url)

    t.equal(statusCode, 200)
    t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin' })
    t.match(body, '<title>Latchkey</title>')
    t.match(body, '<meta name="viewport" content="width=device-width, initial-scale=1">')
    const references = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, reference = '']) => reference)
    t.ok(references.length > 5)
    t.strictSame(references.filter((reference) => !reference.startsWith(`${folder}/`)), [])
    t.notMatch(body, /<style|style=|<script>|onload=/)
  })
}

for (const asset of ASSETS) {
  t.test(`The file ${asset} is what it says, and is asked for again before it is used again`, async (t) => {
    const app = await build(t)

    const { statusCode, headers } = await app.inject(`/docs/static/${asset}`)

    t.equal(statusCode, 200)
    t.match(headers, { 'content-security-policy': PAGE_POLICY, 'x-content-type-options': 'nosniff', 'cache-control': /^(?:no-store|public, max-age=0)$/, pragma: undefined })
    t.match(headers['content-type'], { css: /^text\/css/, js: /javascript/, svg: /^image\/svg\+xml/ }[asset.split('.').at(-1) ?? ''])
  })
}

t.test('The file that has not changed is not sent again', async (t) => {
  const app = await build(t)
  const { headers } = await app.inject('/docs/static/swagger-ui-bundle.js')

  const again = await app.inject({ url: '/docs/static/swagger-ui-bundle.js', headers: { 'if-none-match': String(headers.etag) } })

  t.equal(again.statusCode, 304)
})

t.test('The document of the page is the published one', async (t) => {
  const app = await build(t)

  const { statusCode, headers } = await app.inject('/docs/json')

  t.equal(statusCode, 302)
  t.equal(new URL(String(headers.location), 'http://latchkey/docs/json').pathname, '/openapi.json')
  t.equal((await app.inject('/openapi.json')).headers['content-type'], 'application/json; charset=utf-8')
})

t.test('A file comes as a whole, whatever part of it is asked for', async (t) => {
  const app = await build(t)

  const [whole, part] = await Promise.all([{}, { range: 'bytes=10-19' }].map(async (headers) => await app.inject({ url: '/docs/static/swagger-ui.css', headers })))

  t.equal(part?.statusCode, 200)
  t.ok(whole?.body !== '' && whole?.body === part?.body)
  t.equal(part?.headers['accept-ranges'], undefined)
})

t.test('The logo is part of the style sheet', async (t) => {
  const app = await build(t)

  const { body } = await app.inject('/docs/static/theme/latchkey.css')

  t.match(body, "url('data:image/svg+xml;base64,")
  t.notMatch(body, 'logo.svg')
})

const REFUSED = [
  { url: '/docs/static/%00', statusCode: 404, code: 'not_found' },
  { url: '/docs/static/a%5c..%5cb', statusCode: 404, code: 'not_found' },
  { url: `/docs/static/${'a'.repeat(3000)}`, statusCode: 404, code: 'not_found' }
]
for (const { url, statusCode, code } of REFUSED) {
  t.test(`What the file server refuses is no fault of the service: ${url.slice(0, 40)}`, async (t) => {
    const log = captureLog('error')
    const app = await build(t, {}, log.logger)

    const response = await app.inject(url)

    t.equal(response.statusCode, statusCode)
    t.equal(response.json().code, code)
    t.strictSame(log.lines, [])
  })
}

for (const url of ['/', '/docs', '/docs/', '/docs/json', '/docs/static/swagger-ui.css', '/openapi.json']) {
  t.test(`With DOCS=false there is no ${url}`, async (t) => {
    const app = await build(t, { DOCS: 'false' })

    const response = await app.inject(url)

    t.equal(response.statusCode, 404)
    t.strictSame(response.json(), { statusCode: 404, code: 'not_found', error: 'Not Found', message: 'There is nothing here' })
  })
}

t.test('With DOCS=false the metadata does not lead to the documentation', async (t) => {
  const [on, off] = await Promise.all([build(t), build(t, { DOCS: 'false' })])

  t.equal((await on.inject('/.well-known/oauth-authorization-server')).json().service_documentation, 'http://localhost:8000/docs')
  t.notOk('service_documentation' in (await off.inject('/.well-known/oauth-authorization-server')).json())
})
