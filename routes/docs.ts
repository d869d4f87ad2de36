import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { FAILURES } from '../schemas/failures.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  if (!fastify.config.docs) return

  let document: Buffer | undefined
  fastify.get('/openapi.json', {
    config: { public: true },
    schema: {
      operationId: 'readApiDocument',
      summary: 'This document',
      description: 'The OpenAPI document of this very service, for tools and for clients that are made from it.',
      tags: ['Discovery'],
      security: [],
      response: { 200: Type.Unsafe<object>({ type: 'object', additionalProperties: true, description: 'OpenAPI 3.1' }), ...FAILURES }
    }
  }, async (_request, reply) => {
    // One copy for all, however many wait for theirs.
    document ??= Buffer.from(JSON.stringify(fastify.swagger()))
    return await reply.type('application/json; charset=utf-8').send(document)
  })

  fastify.get('/', {
    config: { public: true },
    schema: { hide: true, response: { 302: Type.Null(), ...FAILURES } }
  }, async (_request, reply) => reply.redirect('docs'))
}

export default routes
