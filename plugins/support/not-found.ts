import type { FastifyRequest, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import { PublicError } from '../../lib/errors.ts'
import { ROUTER_OPTIONS } from '../../lib/server-options.ts'

/** 405 with `Allow` where the path is known, 404 where it is not. Neither repeats the URL. */
export default fp(async (fastify) => {
  const paths = findMyWay(ROUTER_OPTIONS)
  const methods = new Map<string, Set<HTTPMethods>>()

  fastify.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url)
    const added = [method].flat() as HTTPMethods[]
    if (known !== undefined) {
      added.forEach((name) => known.add(name))
      return
    }
    const allowed = new Set(added)
    methods.set(url, allowed)
    if (!paths.hasRoute('GET', url)) paths.on('GET', url, () => {}, allowed)
  })

  function allowedMethods (request: FastifyRequest): string[] {
    const path = request.url.split('?', 1)[0] as string
    const route = paths.find('GET' as HTTPMethod, path)
    return route === null ? [] : [...route.store as Set<string>].toSorted()
  }

  fastify.setNotFoundHandler(async (request) => {
    const allowed = allowedMethods(request)
    if (allowed.length === 0) throw new PublicError(404, 'not_found', 'There is nothing here')
    throw new PublicError(405, 'method_not_allowed', 'This method is not supported here', { allow: allowed.join(', ') })
  })
}, { name: 'not-found', fastify: '5.x', dependencies: ['errors'] })
