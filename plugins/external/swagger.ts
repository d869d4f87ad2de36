import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { SCOPES, USER_SCOPES } from '../../lib/scopes.ts'
import packageJson from '../../package.json' with { type: 'json' }

const asset = (name: string): URL => new URL(`../../assets/${name}`, import.meta.url)

// Swagger UI draws its icons from data: URLs and needs nothing from elsewhere.
const CONTENT_SECURITY_POLICY = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
  'connect-src': "'self'",
  'font-src': "'self' data:",
  'img-src': "'self' data:",
  'script-src': "'self'",
  'style-src': "'self'"
}

export default fp(async (fastify) => {
  const { config } = fastify

  await fastify.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Latchkey',
        version: packageJson.version,
        description: await readFile(asset('api-description.md'), 'utf8'),
        license: { name: packageJson.license, identifier: packageJson.license }
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: [
        { name: 'OAuth', description: 'Log in, go on, log out' },
        { name: 'Users', description: 'Who has logged in' },
        { name: 'Discovery', description: 'What other services and client libraries need' },
        { name: 'Gateway', description: 'For the proxy in front of other services' },
        { name: 'Operation', description: 'For those who run it' }
      ],
      components: {
        securitySchemes: {
          password: {
            type: 'oauth2',
            description: 'Log in with username and password; leave the client fields empty.',
            flows: { password: { tokenUrl: '/token', refreshUrl: '/token', scopes: { ...SCOPES } } }
          }
        }
      }
    }
  })

  if (!config.docs) return

  await fastify.register(async (docs) => {
    docs.allPublic = true
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: CONTENT_SECURITY_POLICY,
      logo: { type: 'image/svg+xml', content: await readFile(asset('logo.svg')) },
      theme: {
        title: 'Latchkey',
        css: [{ filename: 'latchkey.css', content: await readFile(asset('docs.css'), 'utf8') }],
        favicon: [{ filename: 'favicon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: await readFile(asset('favicon.svg'), 'utf8') }]
      },
      uiConfig: {
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
}, { name: 'swagger', fastify: '5.x', dependencies: ['config'] })
