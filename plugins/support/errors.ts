import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import { PublicError, UnavailableError } from '../../lib/errors.ts'
import { STATUS_CODES } from '../../lib/node-http.ts'
import { describeViolation } from '../../lib/violation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Errors of this route have bodies as RFC 6749 section 5.2 has them. */
    oauth?: true
  }
}

const MALFORMED = ['bad_request', 'The request is malformed'] as const

const FRAMEWORK_ERRORS: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: MALFORMED,
  404: ['not_found', 'There is nothing here'],
  413: ['payload_too_large', 'The body is too large']
}

const UNREADABLE: Readonly<Record<string, string>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty, and its content type says JSON',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not JSON'
}

const OAUTH_CODES: Readonly<Record<number, string>> = { 500: 'server_error', 503: 'temporarily_unavailable' }

// A route may let its answer be cached, but never an error.
const NOT_STORED = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** One handler owns every error body, so that nothing but a public message leaves the process. */
export default fp(async (fastify) => {
  fastify.setErrorHandler(async (error, request, reply) => {
    const problem = explain(error, request)
    return await send(problem, request, reply)
  })
}, { name: 'errors', fastify: '5.x' })

function explain (error: unknown, request: FastifyRequest): PublicError {
  try {
    const problem = toPublicError(error, request)
    if (problem.statusCode >= 500) logFault(problem, error, request)
    return problem
  } catch (fault) {
    // There is what throws when it is looked at, and then Fastify's own handler would say so in public.
    const problem = internalError(request)
    logFault(problem, fault, request)
    return problem
  }
}

// Refusing for want of room is no fault, and a flood of it must not become a flood of lines.
function logFault (problem: PublicError, error: unknown, request: FastifyRequest): void {
  if (problem instanceof UnavailableError && problem.cause === undefined) request.log.debug(problem.message)
  else request.log.error({ err: error }, problem.message)
}

/** Takes anything: whatever can be thrown, null included, arrives here. */
function toPublicError (error: unknown, request: FastifyRequest): PublicError {
  if (error instanceof PublicError) return error
  const { code, statusCode = 500 } = (error ?? {}) as Partial<FastifyError>
  if (code === 'FST_ERR_VALIDATION') return invalid(error as FastifyError, request)
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new PublicError(415, 'unsupported_media_type', expectedBody(request))
  const unreadable = UNREADABLE[String(code)]
  if (unreadable !== undefined) return new PublicError(400, 'bad_request', unreadable)
  // Who goes away while his body is read gets no answer, and is no fault of ours.
  if (code === 'ECONNRESET' && request.raw.readableAborted) return new PublicError(400, ...MALFORMED)
  // What Fastify itself throws is the caller's fault by its status; its messages can hold what was sent.
  const known = String(code).startsWith('FST_ERR_') ? FRAMEWORK_ERRORS[statusCode] : undefined
  if (known !== undefined) return new PublicError(statusCode, ...known)
  return internalError(request)
}

function internalError ({ id }: FastifyRequest): PublicError {
  return new PublicError(500, 'internal_error', `Something went wrong here; the log tells more about request ${id}`)
}

function invalid ({ message, validation, validationContext }: FastifyError, request: FastifyRequest): PublicError {
  const [violation] = validation as [FastifySchemaValidationError]
  const isWithoutBody = validationContext === 'body' && request.body == null
  return new PublicError(400, 'validation_failed', isWithoutBody ? expectedBody(request) : describeViolation(violation, message))
}

function expectedBody ({ routeOptions: { config } }: FastifyRequest): string {
  return config.oauth === true ? 'Send the parameters as a form: application/x-www-form-urlencoded' : 'Send the body as application/json'
}

async function send (problem: PublicError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { statusCode, code, message, headers } = problem
  const isOAuthError = problem.name === 'OAuthError'
  reply.code(statusCode).headers({ ...NOT_STORED, ...headers })
  if (request.routeOptions.config.oauth !== true && !isOAuthError) {
    return await reply.send({ statusCode, code, error: STATUS_CODES[statusCode], message })
  }
  const oauthCode = isOAuthError ? code : OAUTH_CODES[statusCode] ?? 'invalid_request'
  return await reply.send({ error: oauthCode, error_description: message })
}
