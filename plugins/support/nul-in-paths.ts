import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { notFound } from '../../lib/errors.ts'

/** No id and no name holds U+0000, and not every database can look for one: a path that does leads nowhere. */
export default fp(async (fastify) => {
  fastify.addHook('onRoute', (route) => {
    if (route.url.includes('/:')) route.preHandler = [refuseNul, ...[route.preHandler ?? []].flat()]
  })
}, { name: 'nul-in-paths', fastify: '5.x' })

async function refuseNul ({ params }: FastifyRequest): Promise<void> {
  if (Object.values(params as Record<string, string>).some((value) => value.includes('\0'))) throw notFound()
}
