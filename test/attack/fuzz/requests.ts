import { METHODS } from 'node:http'
import fc from 'fast-check'
import type { Route } from '../../collect-routes.ts'
import { hostileText, objectOf, valueOf, type Schema } from './values.ts'

/**
 * A request. Words such as `XADATOKENX` and `XPASSWORDX` in it, which no encoding changes, stand for what they
 * mean at the moment when it is sent.
 */
export interface FuzzedRequest {
  /** The route that it is made for. */
  route: string
  method: string
  target: string
  headers: Array<[name: string, value: string]>
  body: string
}

const IDS = ['XADAIDX', 'XADAIDX', 'XADMINIDX']
const OWN_SCOPES = ['profile', 'account']
const BY_PATH: ReadonlyMap<string, string[]> = new Map([['roles', ['XROLEX']], ['sessions', ['XSESSIONIDX']], ['throttles', ['XTHROTTLEIDX']]])
const ANYTHING = [...IDS, ...[...BY_PATH.values()].flat(), 'user', 'me']
const SECRET_NAMES = /password|^token$/

const header = fc.string({ unit: fc.constantFrom(...'abcXYZ0129 ;,="\'\\/{}[]<>%\t\x80\xff') })

const odd = fc.constantFrom('Bearer', 'Bearer XREFRESHTOKENX', 'Bearer XADATOKENXx', 'Bearer x.y.z', 'Basic Zmlyc3QtcGFydHk6', 'Basic Og==', 'Basic x', 'Bearer eyJhbGciOiJub25lIn0.e30.')

const authorization = (...usual: string[]): fc.Arbitrary<[string, string]> => fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...usual) },
  { weight: 1, arbitrary: odd },
  { weight: 1, arbitrary: header }
).map((value) => ['authorization', value])

const asUser = authorization('Bearer XADATOKENX', 'BEARER XADATOKENX', 'bearer  XNARROWTOKENX', 'Bearer XADMINTOKENX')
const asAdministrator = authorization('Bearer XADMINTOKENX', 'BEARER XADMINTOKENX', 'bearer  XADMINTOKENX', 'Bearer XADATOKENX')

const oddHeader = fc.oneof(
  fc.tuple(fc.constantFrom('x-forwarded-for', 'x-request-id', 'accept', 'accept-version', 'cookie', 'origin', 'if-none-match', 'range', 'content-encoding', '__proto__', 'user-agent', 'x-http-method-override', 'content-type', 'authorization'), header),
  fc.constantFrom<[string, string]>(['origin', 'null'], ['accept', '*/*'], ['range', 'bytes=0-0,1-1'], ['accept-encoding', 'gzip'], ['content-encoding', 'gzip'], ['user-agent', 'x'.repeat(3000)])
)

/** Requests for the route, and some that only look like it. */
export function requestFor ({ method, url, config, schema: parts = {} }: Route): fc.Arbitrary<FuzzedRequest> {
  const { querystring, params, body, consumes } = parts as { querystring?: Schema, params?: Schema, body?: Schema, consumes?: string[] }
  const isForm = consumes?.includes('application/x-www-form-urlencoded') === true
  const isOwn = config?.scopes?.every((scope) => OWN_SCOPES.includes(scope)) ?? true
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json'

  return fc.record({
    method: fc.oneof({ weight: 20, arbitrary: fc.constant(method) }, { weight: 1, arbitrary: fc.constantFrom(...METHODS.filter((name) => name !== 'CONNECT')) }),
    path: pathOf(url, params),
    query: fc.oneof({ weight: querystring === undefined ? 9 : 1, arbitrary: fc.constant('') }, { weight: 3, arbitrary: queryOf(querystring ?? {}) }),
    guard: fc.option(isOwn ? asUser : asAdministrator, { freq: 12, nil: undefined }),
    odd: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(oddHeader, { maxLength: 3 }) }),
    type: fc.oneof({ weight: 14, arbitrary: fc.constant(type) }, { weight: 1, arbitrary: fc.constantFrom('text/plain', 'multipart/form-data', 'application/json; charset=utf-8', 'APPLICATION/X-WWW-FORM-URLENCODED', 'application/json(x)', '') }),
    body: body === undefined ? fc.constantFrom('', '', '{}') : bodyOf(body, isForm)
  }).map(({ method, path, query, guard, odd, type, body }) => ({
    route: `${method} ${url}`,
    method,
    target: path + query,
    // The token endpoint would take it for a client's.
    headers: [...(guard === undefined || isForm ? [] : [guard]), ...odd, ...(body === '' ? [] : [['content-type', type] satisfies [string, string]])],
    body
  }))
}

function pathOf (url: string, params: Schema | undefined): fc.Arbitrary<string> {
  const segment = (name: string, parent: string | undefined): fc.Arbitrary<string> => fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...BY_PATH.get(parent ?? '') ?? IDS) },
    { weight: 2, arbitrary: fc.constantFrom(...ANYTHING) },
    { weight: 2, arbitrary: valueOf(params?.properties?.[name] ?? { type: 'string' }).map(String).filter((text) => text !== '').map(encode) },
    // An empty one would lead to the route above.
    { weight: 1, arbitrary: fc.constantFrom('%', '%ff', '%00', '.', '%2e%2e', '%2f', 'a'.repeat(150)) }
  )
  return fc.tuple(...url.split('/').map((part, index, parts) => part.startsWith(':') ? segment(part.slice(1), parts[index - 1]) : part === '*' ? hostileText.map(encode) : fc.constant(part)))
    .map((parts) => parts.join('/'))
}

function queryOf (schema: Schema): fc.Arbitrary<string> {
  const pairs = objectOf(schema).map((object) => Object.entries(object).map(([name, value]) => pair(name, value)))
  return fc.tuple(pairs, fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom('&', '&limit=1&limit=2', '&x', '&%zz', '&__proto__=1', '&a[b]=c', '&='))).map(([list, more]) => `?${list.join('&')}${more}`.slice(0, 6000))
}

function bodyOf (schema: Schema, isForm: boolean): fc.Arbitrary<string> {
  const object = withSecrets(objectOf(schema), schema)
  const whole = isForm ? object.map(toForm) : object.map((value) => JSON.stringify(value))
  return fc.oneof(
    { weight: 12, arbitrary: whole },
    { weight: 1, arbitrary: fc.tuple(whole, fc.nat()).map(([text, at]) => text.slice(0, at % (text.length + 1))) },
    { weight: 1, arbitrary: fc.oneof(hostileText, fc.json(), fc.constantFrom('{"__proto__":{"polluted":1}}', '{"a":1,"a":2}', '['.repeat(5000), '&&&=&', 'a=%ff', '\xff\xfe')) },
    { weight: 1, arbitrary: fc.tuple(whole, whole).map(([one, other]) => isForm ? `${one}&${other}` : `${one}${other}`) }
  )
}

/** Most often the right password, so that what lies behind it is reached too. */
function withSecrets (object: fc.Arbitrary<Record<string, unknown>>, { properties = {} }: Schema): fc.Arbitrary<Record<string, unknown>> {
  const known: Record<string, unknown> = { password: 'XPASSWORDX', current_password: 'XPASSWORDX', username: 'XADANAMEX', refresh_token: 'XREFRESHTOKENX', token: 'XREFRESHTOKENX' }
  const names = Object.keys(properties).filter((name) => name in known && (SECRET_NAMES.test(name) || 'grant_type' in properties))
  return fc.tuple(object, fc.constantFrom(true, true, false), fc.constantFrom('password', 'refresh_token')).map(([value, isRight, grant]) => ({
    ...value,
    ...isRight && Object.fromEntries(names.map((name) => [name, known[name]])),
    ...isRight && 'grant_type' in properties && { grant_type: grant },
    ...isRight && 'client_id' in properties && { client_id: '', client_secret: '' }
  }))
}

const toForm = (object: Record<string, unknown>): string => Object.entries(object).map(([name, value]) => pair(name, value)).join('&')
const pair = (name: string, value: unknown): string => `${encode(name)}=${encode(typeof value === 'object' ? JSON.stringify(value) : String(value))}`
const encode = (text: string): string => encodeURIComponent(text.toWellFormed())
