import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { pino, type Logger } from 'pino'
import type { Test } from 'tap'
import { buildApp } from '../app.ts'
import { loadConfig, type Config } from '../lib/config.ts'
import { StartupError } from '../lib/errors.ts'
import type { AuditEventType } from '../lib/audit-events.ts'

export type Env = Record<string, string>

export const PUBLIC_URL = 'http://localhost:8000'
export const SECRET = 'test-secret-0123456789-abcdefghijklmnopqrstuvwxyz'
export const FORM_HEADERS = { 'content-type': 'application/x-www-form-urlencoded' }
export const passwordGrant = (username: string, password: string) => ({ grant_type: 'password', username, password })
export const JOHN = passwordGrant('johndoe', 'secret')

/** A directory that is gone when the test ends. */
export function temporaryDirectory (t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'latchkey-'))
  t.teardown(() => { rmSync(path, { recursive: true, force: true }) })
  return path
}

/** Settings as in production but for the cheapest hash, a fixed secret and an empty database of the test's own. */
export function testEnv (t: Test, env: Env = {}): Env {
  return {
    NODE_ENV: 'test',
    PORT: '0',
    PUBLIC_URL,
    DATABASE_URL: `file:${temporaryDirectory(t)}/latchkey.db`,
    LATCHKEY_SECRET: SECRET,
    ARGON2_MEMORY_KIB: '8',
    ARGON2_TIME_COST: '1',
    LOG_LEVEL: 'silent',
    ...env
  }
}

export function testConfig (t: Test, env: Env = {}): Config {
  return loadConfig(testEnv(t, env))
}

/** What `loadConfig` has against settings, one by one; nothing if it takes them. */
export function problemsOf (env: Env): string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof StartupError)) throw error
    const [, ...problems] = error.message.split('\n  - ')
    return problems
  }
}

/** Builds the whole service, with the demo user in an empty database, and closes it when the test ends. */
export async function build (t: Test, env: Env = {}, logger: Logger = pino({ level: 'silent' })): Promise<FastifyInstance> {
  const fastify = await buildApp(testConfig(t, env), logger)
  t.teardown(async () => { await fastify.close() })
  return fastify
}

/** A logger and the parsed lines that it wrote. */
export function captureLog (level = 'trace'): { logger: Logger, lines: Array<Record<string, unknown>>, text: () => string } {
  const written: string[] = []
  const logger = pino({ level }, { write: (line: string) => { written.push(line) } })
  return {
    logger,
    get lines () { return written.map((line) => JSON.parse(line) as Record<string, unknown>) },
    text: () => written.join('')
  }
}

/** Stops the clock of the service at an instant that the test moves on, in milliseconds. */
export function stopClock (fastify: FastifyInstance, at = Date.now()): { advance: (ms: number) => void } {
  let now = at
  fastify.clock.now = () => now
  return { advance: (ms) => { now += ms } }
}

export async function createUser (fastify: FastifyInstance, { username = 'ada', password = 'correct horse battery', ...rest }: { username?: string, password?: string | null, email?: string, fullName?: string, roles?: string[] } = {}) {
  const passwordHash = password === null ? {} : { passwordHash: await fastify.passwordHasher.hash(password) }
  return await fastify.users.create({ username, ...rest, ...passwordHash }, {})
}

/** Sets a password as the operator does: all sessions end. */
export async function setPassword (fastify: FastifyInstance, userId: string, hash: string): Promise<boolean> {
  return await fastify.db.transaction().execute(async (tx) => await fastify.passwords.set(tx, { userId, hash }, 'user_password_set', {}))
}

export async function postForm (fastify: FastifyInstance, url: string, form: Record<string, string> | string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return await fastify.inject({
    method: 'POST',
    url,
    headers: { ...FORM_HEADERS, ...headers },
    payload: typeof form === 'string' ? form : new URLSearchParams(form).toString()
  })
}

export async function requestToken (fastify: FastifyInstance, form: Record<string, string> | string = JOHN): Promise<LightMyRequestResponse> {
  return await postForm(fastify, '/token', form)
}

export interface Tokens { access_token: string, refresh_token: string, scope: string, expires_in: number }

/** Logs in and gives the tokens. */
export async function logIn (fastify: FastifyInstance, form: Record<string, string> = JOHN): Promise<Tokens> {
  const response = await requestToken(fastify, form)
  if (response.statusCode !== 200) throw new Error(`log-in failed: ${response.body}`)
  return response.json()
}

export async function refresh (fastify: FastifyInstance, refreshToken: string, form: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return await requestToken(fastify, { grant_type: 'refresh_token', refresh_token: refreshToken, ...form })
}

/** @throws Error if it is refused */
export async function refreshed (fastify: FastifyInstance, refreshToken: string): Promise<Tokens> {
  const response = await refresh(fastify, refreshToken)
  if (response.statusCode !== 200) throw new Error(`refresh failed: ${response.body}`)
  return response.json()
}

export async function readProfile (fastify: FastifyInstance, accessToken: string): Promise<LightMyRequestResponse> {
  return await fastify.inject({ url: '/users/me', headers: { authorization: `Bearer ${accessToken}` } })
}

/** Asserts an error as RFC 6749 section 5.2 has it, and nothing beside it. */
export function isOAuthError (t: Test, response: LightMyRequestResponse, statusCode: number, error: string): void {
  t.equal(response.statusCode, statusCode)
  t.strictSame(Object.keys(response.json()), ['error', 'error_description'])
  t.equal(response.json().error, error)
  t.match(response.json().error_description, /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/)
  t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff' })
}

/** The audit events of that type, oldest first. */
export async function auditEvents (fastify: FastifyInstance, type: AuditEventType) {
  return await fastify.db.selectFrom('audit_events').selectAll().where('type', '=', type).orderBy('id').execute()
}

/** The file of an SQLite database. */
export function fileOf ({ database }: Config): string {
  if (database.engine !== 'sqlite') throw new Error('The database is no file')
  return database.path
}

/** Takes the write lock of the database, as another process would; the answer gives it back. */
export function lockDatabase (t: Test, fastify: FastifyInstance): () => void {
  const other = new DatabaseSync(fileOf(fastify.config))
  other.exec('begin immediate')
  const release = (): void => { if (other.isOpen) other.close() }
  t.teardown(release)
  return release
}

/**
 * Sends requests that rotate or revoke sessions and lets none of them go on before all wait for the
 * database, which the instances share: otherwise one would be done before the next begins, and no two would ever meet.
 */
export async function interleave (t: Test, [one, ...others]: [FastifyInstance, ...FastifyInstance[]], requests: Array<() => Promise<LightMyRequestResponse>>): Promise<LightMyRequestResponse[]> {
  const release = lockDatabase(t, one)
  const calls = [one, ...others].flatMap(({ sessions }) => [t.capture(sessions, 'rotate', sessions.rotate), t.capture(sessions, 'revoke', sessions.revoke)])
  const takeCount = (): number => calls.reduce((count, take) => count + take().length, 0)

  const responses = Promise.all(requests.map(async (send) => await send()))
  for (let waiting = 0; waiting < requests.length; waiting += takeCount()) await setImmediate()
  calls.forEach(({ restore }) => { restore() })
  release()
  return await responses
}

/** Sends text as it is to the listening service and gives the whole answer. */
export async function sendRaw (fastify: FastifyInstance, request: string): Promise<string> {
  if (!fastify.server.listening) await fastify.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((fastify.server.address() as AddressInfo).port, '127.0.0.1')
  socket.end(request)
  return await text(socket)
}

/**
 * Whether a test can run that needs a program which may not be installed. Where it is not, the test is
 * skipped with a visible line; with `CI=true` that is a failure.
 */
export function canRun (t: Test, need: string, isThere: boolean): boolean {
  if (isThere) return true
  if (process.env.CI === 'true') t.fail(`${need} is needed`)
  else t.comment(`skipped: ${need} is not there`)
  return false
}
