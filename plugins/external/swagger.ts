import { ReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { finishDocument, type ApiDocument } from '../../lib/api-document.ts'
import { notFound } from '../../lib/errors.ts'
import { PAGE_HEADERS } from '../../lib/server-options.ts'
import { createSharedFiles } from '../../lib/shared-files.ts'
import { SCOPES, USER_SCOPES } from '../../lib/scopes.ts'
import packageJson from '../../package.json' with { type: 'json' }

const readAsset = async (name: string): Promise<string> => await readFile(new URL(`../../assets/${name}`, import.meta.url), 'utf8')
const dataUrl = (svg: string): string => `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`

// Icons come as data: URLs; the page needs nothing from elsewhere.
const CONTENT_SECURITY_POLICY = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
  'connect-src': "'self'",
  'img-src': "'self' data:",
  'script-src': "'self'",
  'style-src': "'self'"
}

// What a newcomer needs.
const FIRST_PATHS = ['/token', '/users/me']

export default fp(async (fastify) => {
  const { config } = fastify
  // Without the host, so that the page works under every name; with the path, behind a proxy that takes it away.
  const basePath = new URL(config.publicUrl).pathname.replace(/\/$/, '')
  const description = await readAsset('api-description.md')

  await fastify.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Latchkey',
        version: packageJson.version,
        description: description.replaceAll('{PUBLIC_URL}', config.publicUrl),
        license: { name: packageJson.license, identifier: packageJson.license }
      },
      servers: [{ url: basePath === '' ? '/' : basePath, description: 'This server' }],
      tags: [
        { name: 'OAuth', description: 'Log in, go on, log out' },
        { name: 'Users', description: 'Who has logged in' },
        { name: 'Account', description: 'Change your own profile, e-mail address and password, end your sessions, delete your account' },
        { name: 'Sign-up and recovery', description: 'What works without a password: sign up, prove an address, choose a new password' },
        { name: 'Administration', description: 'Users, roles, the audit log and the signing keys, for those whose roles allow it' },
        { name: 'Discovery', description: 'What other services and client libraries need' },
        { name: 'Gateway', description: 'For the proxy in front of other services' },
        { name: 'Operation', description: 'For those who run it' }
      ],
      components: {
        securitySchemes: {
          password: {
            type: 'oauth2',
            description: 'Log in with your username and password. Outside production there is `johndoe` with the password `secret`.',
            flows: { password: { tokenUrl: `${basePath}/token`, refreshUrl: `${basePath}/token`, scopes: { ...SCOPES } } }
          }
        }
      }
    },
    transformObject: (made) => finishDocument((made as { openapiObject: ApiDocument }).openapiObject, FIRST_PATHS)
  })

  if (!config.docs) return

  const logo = await readAsset('logo.svg')
  const css = await readAsset('docs.css')
  const favicon = await readAsset('favicon.svg')

  await fastify.register(async (docs) => {
    docs.allPublic = true
    const shareFile = createSharedFiles()

    // What the file server refuses, such as a strange name, is no fault of ours.
    docs.setErrorHandler(async () => { throw notFound() })

    docs.addHook('onRequest', async ({ headers, routeOptions }, reply) => {
      if (routeOptions.url === '/docs/json') return await reply.redirect('../openapi.json')
      // The files may be kept, and are asked for again each time; the page itself stays no-store.
      reply.removeHeader('pragma')
      delete headers.range // RFC 9110 section 14.2: a server may ignore it
    })

    docs.addHook('onSend', async (_request, reply, payload) => {
      reply.removeHeader('accept-ranges')
      const isPage = String(reply.getHeader('content-type')).startsWith('text/html')
      if (isPage) reply.headers(PAGE_HEADERS)
      if (payload instanceof ReadStream) return await shareFile(payload)
      return isPage && typeof payload === 'string' ? payload.replace('<meta charset="UTF-8">', '$&\n      <meta name="viewport" content="width=device-width, initial-scale=1">') : payload
    })

    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: '.',
      staticCSP: CONTENT_SECURITY_POLICY,
      theme: {
        title: 'Latchkey',
        css: [{ filename: 'latchkey.css', content: css.replace('logo.svg', dataUrl(logo)) }],
        favicon: [{ filename: 'favicon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: favicon }]
      },
      uiConfig: {
        // Without the bar of the standalone layout, whose logo has an inline style.
        layout: 'BaseLayout',
        docExpansion: 'list',
        deepLinking: true,
        tryItOutEnabled: true,
        persistAuthorization: false,
        defaultModelsExpandDepth: 0,
        displayRequestDuration: true,
        validatorUrl: null
      },
      initOAuth: { scopes: [...USER_SCOPES] }
    })
  })
}, { name: 'swagger', fastify: '5.x', dependencies: ['config', 'not-found'] })
