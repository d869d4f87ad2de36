import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { build, temporaryDirectory, type Env } from './helper.ts'

interface Schema {
  $ref?: string
  title?: string
  description?: string
  examples?: unknown[]
  enum?: unknown[]
  type?: string
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
}

interface Answer {
  description: string
  headers?: Record<string, { description?: string }>
  content?: Record<string, { schema: Schema }>
}

interface Operation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security: unknown[]
  parameters?: Array<{ name: string, description?: string }>
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, Answer>
}

interface Document {
  openapi: string
  info: { title: string, description: string }
  servers: Array<{ url: string }>
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>, securitySchemes: Record<string, { flows: Record<string, Record<string, unknown>> }> }
}

const LINTER = fileURLToPath(new URL('../node_modules/@redocly/cli/bin/cli.js', import.meta.url))
const RULES = fileURLToPath(new URL('../redocly.yaml', import.meta.url))
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }

async function readDocument (t: Test, env: Env = {}): Promise<Document> {
  const app = await build(t, { REGISTRATION: 'open', ...env })
  return (await app.inject('/openapi.json')).json()
}

function operationsOf ({ paths }: Document): Array<Operation & { name: string }> {
  return Object.entries(paths).flatMap(([url, path]) => Object.entries(path).map(([method, operation]) => ({ ...operation, name: `${method} ${url}` })))
}

/** The members at every depth that nothing is said about, by their paths. */
function unexplained (schema: Schema, path: string): string[] {
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const isExplained = [member.description, member.examples, member.$ref].some((said) => said !== undefined)
    return [...isExplained ? [] : [`${path}.${name}`], ...unexplained(member, `${path}.${name}`)]
  })
  return [...members, ...schema.items === undefined ? [] : unexplained(schema.items, `${path}[]`)]
}

/** Every value of that key at any depth. */
function valuesOf (key: string, node: unknown): unknown[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([name, value]) => [...name === key ? [value] : [], ...valuesOf(key, value)])
}

t.test('The API document passes the linter without an error or a warning', async (t) => {
  const document = await readDocument(t)
  const file = join(temporaryDirectory(t), 'openapi.json')
  writeFileSync(file, JSON.stringify(document))

  const linted = promisify(execFile)(process.execPath, [LINTER, 'lint', file, '--config', RULES, '--format', 'json'], { env: { ...process.env, ...QUIET } })
  const { stdout } = await linted.catch((failure: { stdout: string }) => failure)

  t.equal(document.openapi, '3.1.0')
  t.strictSame(JSON.parse(stdout).problems, [])
  t.strictSame(JSON.parse(stdout).totals, { errors: 0, warnings: 0, ignored: 0 })
})

t.test('Every operation, answer, header, parameter and field is explained', async (t) => {
  const document = await readDocument(t)
  const operations = operationsOf(document)

  t.ok(operations.length >= 9, 'there is something to explain')
  for (const { name, operationId, summary, description, tags, security, parameters = [], requestBody, responses } of operations) {
    t.ok(operationId && summary && description && tags.length === 1 && Array.isArray(security), `${name} says what it is`)
    t.ok(parameters.every((parameter) => parameter.description), `${name} explains its parameters`)
    const answers = Object.values(responses)
    t.ok(answers.every((answer) => answer.description && answer.description !== 'Default Response'), `${name} explains its answers`)
    t.ok(answers.flatMap(({ headers = {} }) => Object.values(headers)).every((header) => header.description), `${name} explains its headers`)
    for (const { schema } of Object.values(requestBody?.content ?? {})) t.strictSame(unexplained(schema, name), [])
  }
  for (const [name, schema] of Object.entries(document.components.schemas)) t.strictSame(unexplained(schema, name), [])
})

t.test('Every named schema is in the components once, and referred to everywhere else', async (t) => {
  const { paths, components } = await readDocument(t)
  const names = Object.keys(components.schemas)
  const targets = new Set(valuesOf('$ref', { paths, components }))

  t.strictSame(valuesOf('title', paths), [])
  t.strictSame(names.map((name) => components.schemas[name]?.title), names)
  t.strictSame([...targets].toSorted(), names.map((name) => `#/components/schemas/${name}`).toSorted())
  t.ok(['TokenRequest', 'TokenResponse', 'OAuthError', 'User', 'Problem'].every((name) => names.includes(name)))
})

t.test('The log-in form is filled in so that it works, and what it does not need is empty', async (t) => {
  const { components } = await readDocument(t)

  const examples = Object.entries(components.schemas.TokenRequest?.properties ?? {}).map(([name, { examples = [] }]) => [name, examples[0]])

  t.strictSame(Object.fromEntries(examples), { grant_type: 'password', username: 'johndoe', password: 'secret', refresh_token: '', scope: '', client_id: '', client_secret: '' })
})

t.test('Headers that a client must know are described where they come', async (t) => {
  const { paths } = await readDocument(t)
  const headersOf = (url: string, method: string, status: string): string[] => Object.keys(paths[url]?.[method]?.responses[status]?.headers ?? {})

  t.strictSame(headersOf('/token', 'post', '200'), ['Cache-Control'])
  t.strictSame(headersOf('/token', 'post', '401'), ['WWW-Authenticate'])
  t.strictSame(headersOf('/token', 'post', '4XX'), ['Allow'])
  t.strictSame(headersOf('/token', 'post', '503'), ['Retry-After'])
  t.strictSame(headersOf('/users/me', 'get', '401'), ['WWW-Authenticate'])
  t.strictSame(headersOf('/users/me', 'get', '403'), ['WWW-Authenticate'])
  t.strictSame(headersOf('/.well-known/jwks.json', 'get', '200'), ['Cache-Control'])
  t.strictSame(headersOf('/verify', 'get', '204'), ['X-Auth-User', 'X-Auth-Username', 'X-Auth-Scope', 'X-Auth-Session'])
})

t.test('What a newcomer needs comes first', async (t) => {
  const { paths, info } = await readDocument(t, { PUBLIC_URL: 'https://login.example.com' })

  t.strictSame(Object.keys(paths).slice(0, 2), ['/token', '/users/me'])
  t.match(info.description, 'https://login.example.com/token')
  t.notMatch(info.description, '{PUBLIC_URL}')
})

for (const { publicUrl, server, token } of [
  { publicUrl: 'https://login.example.com', server: '/', token: '/token' },
  { publicUrl: 'https://example.com/auth/', server: '/auth', token: '/auth/token' }
]) {
  t.test(`At ${publicUrl} the document has paths and no host`, async (t) => {
    const { servers, components } = await readDocument(t, { PUBLIC_URL: publicUrl })

    t.strictSame(servers.map(({ url }) => url), [server])
    t.match(components.securitySchemes.password?.flows, { password: { tokenUrl: token, refreshUrl: token } })
  })
}
