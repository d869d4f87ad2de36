import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { toKeyBody } from '../lib/key-body.ts'
import { sessionContext } from '../plugins/data/audit.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { FAILURES, NOT_ACCEPTABLE } from '../schemas/failures.ts'
import { KeyListSchema, KeyRotationSchema, KeySchema } from '../schemas/keys.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { keyRing } = fastify

  fastify.get('/keys', {
    config: { scopes: ['keys:read'] },
    schema: {
      operationId: 'listKeys',
      summary: 'List the signing keys',
      description: 'The state of the keys whose tokens are believed. Their public parts are in the JWKS; their private parts never leave the service.',
      tags: ['Administration'],
      response: { 200: { description: 'The keys', ...KeyListSchema }, ...FAILURES }
    }
  }, async () => ({ items: keyRing.trusted().map((key) => toKeyBody(key, keyRing.current())) }))

  fastify.post('/keys', {
    config: { scopes: ['keys:write'] },
    // A request without a body asks for what an empty one does.
    preValidation: async (request) => { if (request.body === undefined) request.body = {} },
    schema: {
      operationId: 'rotateKey',
      summary: 'Make the next signing key',
      description: 'Publishes a new key, which signs ten minutes later, when every cache has it. With `{ "immediately": true }` it signs now and all others are refused, and with them every access token that there is, that of this request included: clients refresh.',
      tags: ['Administration'],
      body: KeyRotationSchema,
      response: {
        201: { description: 'The new key', ...KeySchema },
        400: NOT_ACCEPTABLE,
        409: { description: 'The key that was made last does not sign yet: `rotation_pending`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const key = await keyRing.rotate({ immediately: request.body.immediately === true }, sessionContext(request))
    return await reply.code(201).send(toKeyBody(key, keyRing.current()))
  })
}

export default routes
