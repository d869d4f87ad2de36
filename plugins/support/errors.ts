import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Errors of this route have bodies as RFC 6749 section 5.2 has them. */
    oauth?: true
  }
}

const FRAMEWORK_ERRORS: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['bad_request', 'The request is malformed'],
  404: ['not_found', 'There is nothing here'],
  413: ['payload_too_large', 'The body is too large'],
  415: ['unsupported_media_type', 'The content type of the body is not supported here']
}

const OAUTH_CODES: Readonly<Record<number, string>> = { 500: 'server_error', 503: 'temporarily_unavailable' }

/** One handler owns every error body, so that nothing but a public message leaves the process. */
export default fp(async (fastify) => {
  fastify.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const problem = toPublicError(error, request)
    if (problem.statusCode >= 500) request.log.error(error, problem.message)
    return await send(problem, request, reply)
  })
}, { name: 'errors', fastify: '5.x' })

function toPublicError (error: FastifyError, request: FastifyRequest): PublicError {
  if (error instanceof PublicError) return error
  if (error.validation !== undefined) return new PublicError(400, 'validation_failed', describeValidation(error))
  // What Fastify itself throws is the caller's fault by its status; its messages can hold what was sent.
  const known = error.code?.startsWith('FST_ERR_') ? FRAMEWORK_ERRORS[error.statusCode ?? 500] : undefined
  if (known !== undefined) return new PublicError(error.statusCode as number, ...known)
  return new PublicError(500, 'internal_error', `Something went wrong here; the log tells more about request ${request.id}`)
}

// Ajv's message names the rule and the member, never the value.
function describeValidation ({ validation = [], validationContext }: FastifyError): string {
  const [problem] = validation
  const member = `${validationContext ?? ''}${problem?.instancePath.replaceAll('/', '.') ?? ''}`
  return `${member} ${problem?.message ?? 'is not valid'}`
}

async function send (problem: PublicError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { statusCode, code, message, headers } = problem
  reply.code(statusCode).headers(headers)
  if (request.routeOptions.config.oauth !== true) {
    return await reply.send({ statusCode, code, error: STATUS_CODES[statusCode], message })
  }
  const oauthCode = problem.name === 'OAuthError' ? code : OAUTH_CODES[statusCode] ?? 'invalid_request'
  return await reply.send({ error: oauthCode, error_description: message })
}
