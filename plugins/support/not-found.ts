import type { HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import { notFound, OAuthError, PublicError } from '../../lib/errors.ts'
import { ROUTER_OPTIONS } from '../../lib/server-options.ts'

interface KnownPath {
  methods: Set<HTTPMethods>
  oauth: boolean
}

/** 405 with `Allow` where the path is known, 404 where it is not. Neither repeats the URL. */
export default fp(async (fastify) => {
  const paths = findMyWay(ROUTER_OPTIONS)
  const known = new Map<string, KnownPath>()

  fastify.addHook('onRoute', ({ url, method, config }) => {
    const added = [method].flat() as HTTPMethods[]
    const path = known.get(url)
    if (path !== undefined) {
      added.forEach((name) => path.methods.add(name))
      return
    }
    const fresh: KnownPath = { methods: new Set(added), oauth: config?.oauth === true }
    known.set(url, fresh)
    paths.on('GET', url, () => {}, fresh)
  })

  // Not in a not-found handler: before that the body would be read, and a fault in it be the answer.
  fastify.addHook('onRequest', (request, _reply, done) => {
    // The route of @fastify/cors for every path is there for preflights only, which are answered by now.
    if (!request.is404 && request.routeOptions.url !== '*') done()
    else done(explain(request.url))
  })

  // For routes that find nothing and leave it to Fastify, whose own answer repeats the URL.
  fastify.setNotFoundHandler(async () => { throw notFound() })

  function explain (url: string): PublicError {
    const path = paths.find('GET' as HTTPMethod, url)
    return path === null ? notFound() : methodNotAllowed(path.store as KnownPath)
  }
}, { name: 'not-found', fastify: '5.x', dependencies: ['cors', 'errors', 'log-context', 'one-host', 'security-headers'] })

function methodNotAllowed ({ methods, oauth }: KnownPath): PublicError {
  const message = 'This method is not supported here'
  const headers = { allow: [...methods].toSorted().join(', ') }
  return oauth
    ? new OAuthError('invalid_request', message, { statusCode: 405, headers })
    : new PublicError(405, 'method_not_allowed', message, headers)
}
