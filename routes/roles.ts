import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { notFound } from '../lib/errors.ts'
import { toRoleBody } from '../lib/roles.ts'
import { sessionContext } from '../plugins/data/audit.ts'
import { actorOf } from '../plugins/data/permissions.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { BEYOND_OWN_SCOPES, FAILURES, NOT_ACCEPTABLE } from '../schemas/failures.ts'
import { NewRoleParamsSchema, RoleDefinitionSchema, RoleListSchema, RoleParamsSchema, RoleSchema } from '../schemas/roles.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { permissions, roles } = fastify

  fastify.get('/roles', {
    config: { scopes: ['roles:read'] },
    schema: {
      operationId: 'listRoles',
      summary: 'List roles',
      description: 'What each role allows. Everybody has `user`; `admin` has every scope that any role has.',
      tags: ['Administration'],
      response: { 200: { description: 'All roles', ...RoleListSchema }, ...FAILURES }
    }
  }, async () => ({ items: (await roles.list()).map(toRoleBody) }))

  fastify.put('/roles/:name', {
    config: { scopes: ['roles:write'] },
    schema: {
      operationId: 'setRole',
      summary: 'Make or change a role',
      description: 'Replaces the role as a whole. What it no longer allows ends at once for all who have it; what it allows in addition comes with their next log-in, and makes links void that were mailed to them. You need all scopes that it has and all that it gets.',
      tags: ['Administration'],
      params: NewRoleParamsSchema,
      body: RoleDefinitionSchema,
      response: {
        200: { description: 'The role was changed', ...RoleSchema },
        201: { description: 'The role was made', ...RoleSchema },
        400: NOT_ACCEPTABLE,
        403: BEYOND_OWN_SCOPES,
        409: { description: 'The role is built in: `built_in_role`. Or nobody would be an administrator any more: `last_administrator`. Or there would be too many roles or scopes: `too_many_roles`, `too_many_scopes`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { scopes, description = '' } = request.body
    const { isNew, role } = await roles.set({ name: request.params.name, scopes, description }, sessionContext(request),
      async (tx, touched) => { await permissions.toGrant(actorOf(request), touched)(tx) })
    return await reply.code(isNew ? 201 : 200).send(toRoleBody(role))
  })

  fastify.delete('/roles/:name', {
    config: { scopes: ['roles:write'] },
    schema: {
      operationId: 'deleteRole',
      summary: 'Delete a role',
      description: 'Takes the role away from all who have it; what it allowed ends at once. You need all scopes that it has.',
      tags: ['Administration'],
      params: RoleParamsSchema,
      response: {
        204: Type.Null({ description: 'The role is gone' }),
        403: BEYOND_OWN_SCOPES,
        404: { description: 'There is no such role: `not_found`', ...ProblemSchema },
        409: { description: 'The role is built in: `built_in_role`. Or nobody would be an administrator any more: `last_administrator`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const isRemoved = await roles.remove(request.params.name, sessionContext(request),
      async (tx, touched) => { await permissions.toGrant(actorOf(request), touched)(tx) })
    if (!isRemoved) throw notFound()
    return await reply.code(204).send(null)
  })
}

export default routes
