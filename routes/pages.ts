import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { PAGE_HEADERS } from '../lib/server-options.ts'
import { FAILURES } from '../schemas/failures.ts'

// Forms are sent by the script alone: without it a browser would put a password into a URL or a page into the history.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
  "connect-src 'self'", "img-src 'self'", "script-src 'self'", "style-src 'self'",
  "require-trusted-types-for 'script'", "trusted-types 'none'"
].join('; ')

const PAGES = ['password-reset', 'email-verification']

const FILES = [
  { name: 'page.css', source: 'pages/page.css', type: 'text/css; charset=utf-8' },
  { name: 'page.js', source: 'pages/page.js', type: 'text/javascript; charset=utf-8' },
  { name: 'favicon.svg', source: 'favicon.svg', type: 'image/svg+xml' },
  { name: 'logo.svg', source: 'logo.svg', type: 'image/svg+xml' }
]

const readAsset = async (name: string): Promise<string> => await readFile(new URL(`../assets/${name}`, import.meta.url), 'utf8')

/** The pages that mailed links lead to. Looking at one changes nothing: mail scanners do that. */
const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { passwordMinLength } = fastify.config

  const schema = { hide: true, response: { 200: Type.String({ description: 'What a browser shows or loads' }), ...FAILURES } }

  for (const name of PAGES) {
    const html = (await readAsset(`pages/${name}.html`)).replaceAll('{minLength}', String(passwordMinLength))
    const byDepth = { '': html.replaceAll('{root}', ''), '/': html.replaceAll('{root}', '../') }

    fastify.get(`/${name}`, { config: { public: true }, schema }, async (request, reply) => {
      const isBelow = request.url.split('?', 1)[0]?.endsWith('/') === true
      return await reply.type('text/html; charset=utf-8')
        .headers({ ...PAGE_HEADERS, 'content-security-policy': CONTENT_SECURITY_POLICY })
        .send(byDepth[isBelow ? '/' : ''])
    })
  }

  for (const { name, source, type } of FILES) {
    const content = await readAsset(source)
    fastify.get(`/pages/${name}`, { config: { public: true }, schema }, async (_request, reply) => await reply.type(type).send(content))
  }
}

export default routes
