import Fastify from 'fastify'
import type { Route } from '../../collect-routes.ts'
import { OAuthErrorSchema, ProblemSchema } from '../../../schemas/errors.ts'
import type { FuzzedRequest } from './requests.ts'
import type { WireAnswer } from './wire.ts'

/** Throws what is wrong with an answer. */
export type Judge = (request: FuzzedRequest, answer: WireAnswer, secrets: readonly string[]) => void

type Check = (value: unknown) => boolean

const PAGE = /^GET \/(?:pages\/.*|email-verification|password-reset)$/
const OAUTH_PATHS = /^\/(?:token|revoke|\.well-known)/

/** Measures answers by what the routes say of themselves. */
export async function createJudge (routes: Route[]): Promise<Judge> {
  const compile = await createCompiler()
  const isProblem = compile(ProblemSchema)
  const isOAuthError = compile(OAuthErrorSchema)
  const described = new Map(routes.map(({ method, url, schema }) => [`${method} ${url}`, new Map(
    Object.entries((schema as { response?: Record<string, object> } | undefined)?.response ?? {}).map(([status, body]) => [status, compile(body)])
  )]))

  return (request, { status, headers, body }, secrets) => {
    const refuse = (reason: string): never => { throw new Error(`${reason}: ${status} ${JSON.stringify(headers)} ${body.slice(0, 2000)}`) }

    if (status === 503 ? headers['retry-after'] === undefined && !request.target.startsWith('/health') : status >= 500) refuse('it failed')
    if (secrets.some((secret) => `${JSON.stringify(headers)}${body}`.includes(secret))) refuse('it tells a secret')
    if (headers['x-content-type-options'] !== 'nosniff') refuse('it lacks the headers of security')
    if (body === '') {
      if (status !== 204 && status !== 302 && request.method !== 'HEAD') refuse('it is empty')
      return
    }
    if (status === 200 && PAGE.test(request.route) && headers['content-security-policy'] !== undefined) return
    if (!headers['content-type']?.startsWith('application/json')) refuse('it is not JSON')

    const value = JSON.parse(body) as unknown
    // What was made up for `{id}` may be a path of its own, such as `me`.
    const [path] = request.target.split('?')
    const responses = described.get(`${request.method} ${path}`) ?? described.get(request.route)
    const check = responses?.get(String(status)) ?? responses?.get(`${String(status).charAt(0)}xx`)
    const isError = isProblem(value) || (OAUTH_PATHS.test(request.target) && isOAuthError(value))
    if (status < 400 ? check?.(value) !== true : check?.(value) !== true && !isError) refuse('it is not as described')
  }
}

/** Fastify's own validator, which is made with the first route that has a schema. */
async function createCompiler (): Promise<(schema: object) => Check> {
  const fastify = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } })
  fastify.post('/', { schema: { body: {} } }, async () => '')
  await fastify.ready()
  return (described) => {
    const { headers: _, ...schema } = described as { headers?: unknown }
    return fastify.validatorCompiler?.({ schema, method: 'POST', url: '/' }) as unknown as Check
  }
}
