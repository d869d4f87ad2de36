import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyBaseLogger, FastifyError, FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from './config.ts'
import { RequestLog } from './request-log.ts'

/** How URLs are matched; what looks a path up by itself must do the same. */
export const ROUTER_OPTIONS = { ignoreTrailingSlash: true } as const

// Told apart from those of other processes and of earlier starts.
const PROCESS_ID = randomUUID()
let requests = 0

const HEADERS_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10_000
// Longer than the 60 seconds for which gateways keep a connection that they may use again: whoever ends it must not be us.
const KEEP_ALIVE_TIMEOUT_MS = 72_000
const UNREAD_TIMEOUT_MS = 30_000
const BODY_LIMIT = 16_384
const HEADERS_LIMIT = 16_384

/** How every Fastify instance is made, in production as in tests. */
export function serverOptions (config: Config, logger: FastifyBaseLogger): FastifyHttpOptions<Server> {
  return {
    loggerInstance: logger,
    logController: requestLog,
    requestIdHeader: false,
    genReqId: () => `${PROCESS_ID}-${++requests}`,
    trustProxy: config.trustProxy,
    routerOptions: ROUTER_OPTIONS,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // For who does not read his answer. Nothing moves either while a request waits for its hash.
    connectionTimeout: UNREAD_TIMEOUT_MS + config.hashQueueMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Requests on connections that are open already are served while it stops; each ends its connection.
    return503OnClosing: false,
    // The last two would otherwise be for NODE_OPTIONS to decide.
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 1000, maxHeaderSize: HEADERS_LIMIT, insecureHTTPParser: false },
    // A schema that is none shows in development; looking for that takes a twentieth of the start.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false, validateSchema: !config.production } },
    frameworkErrors: (error, request, reply) => { refuse(error, request, reply as FastifyReply) },
    clientErrorHandler
  }
}

const requestLog = new RequestLog()

/** On every answer; a route may replace some. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  pragma: 'no-cache',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  vary: 'Authorization',
  'x-content-type-options': 'nosniff'
}

/** What a page has besides: the site that opened it gets no hold of its window. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = { 'cross-origin-opener-policy': 'same-origin' }

const MALFORMED = { statusCode: 400, code: 'bad_request', error: 'Bad Request', message: 'The request is malformed' }
const TIMED_OUT = { statusCode: 408, code: 'request_timeout', error: 'Request Timeout', message: 'The request took too long to arrive' }
const HEADERS_TOO_LARGE = { statusCode: 431, code: 'headers_too_large', error: 'Request Header Fields Too Large', message: 'The headers are too large' }

const URL_TOO_LONG = { statusCode: 414, code: 'uri_too_long', error: 'URI Too Long', message: 'A part of the path is too long' }

const CLIENT_ERRORS: Readonly<Record<string, typeof MALFORMED>> = {
  ERR_HTTP_REQUEST_TIMEOUT: TIMED_OUT,
  HPE_HEADER_OVERFLOW: HEADERS_TOO_LARGE
}

/** Answers what the router can't read. No hook runs for it, so that here is all that is done for others. */
function refuse ({ code }: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const problem = code === 'FST_ERR_MAX_PARAM_LENGTH' ? URL_TOO_LONG : MALFORMED
  reply.code(problem.statusCode).headers(SECURITY_HEADERS).send(problem)
  requestLog.requestCompleted(undefined, request, reply)
}

/** Node's own notes on a connection: the answer that is being given, and the request that is being read. */
interface Connection extends Socket {
  _httpMessage?: ServerResponse | null
  parser?: { incoming?: IncomingMessage | null } | null
}

/** Answers what Node's parser refuses, which never becomes a request. */
function clientErrorHandler (error: ConnectionError, socket: Connection): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  // A second answer would pass for that to the next request.
  if (!isAnswered(socket)) {
    const problem = CLIENT_ERRORS[error.code ?? ''] ?? MALFORMED
    const body = JSON.stringify(isForOAuth(error, socket) ? { error: 'invalid_request', error_description: problem.message } : problem)
    const headers = { ...SECURITY_HEADERS, 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body), connection: 'close' }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
    socket.write(`HTTP/1.1 ${problem.statusCode} ${problem.error}\r\n${lines}\r\n${body}`)
  }
  socket.destroySoon()
}

const OAUTH_REQUEST = /^POST \/(?:token|revoke)\/?[ ?]/

/** Whether the request is one to an OAuth endpoint, as far as that was read. */
function isForOAuth ({ rawPacket }: Partial<ConnectionError>, { parser }: Connection): boolean {
  const request = parser?.incoming
  const packet = rawPacket as Buffer | undefined // which is what Node gives, and nothing after a time-out
  const isBodyMissing = request?.complete === false
  return OAUTH_REQUEST.test(isBodyMissing ? `${request.method} ${request.url} ` : packet?.toString('latin1') ?? '')
}

// An answer can be given before the whole body is there.
function isAnswered ({ _httpMessage: answer, parser }: Connection): boolean {
  return answer == null ? parser?.incoming?.complete === false : answer.headersSent
}
