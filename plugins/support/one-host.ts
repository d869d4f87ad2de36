import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'
import { countHeader } from '../../lib/raw-headers.ts'

/** Refuses a request for several hosts (RFC 9112 section 3.2): Node reads the first, and the gateway in front may have chosen by another. */
export default fp(async (fastify) => {
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    if (countHeader(raw.rawHeaders, 'host') > 1) done(new PublicError(400, 'bad_request', 'The request names more than one host'))
    else done()
  })
}, { name: 'one-host', fastify: '5.x', dependencies: ['security-headers'] })
