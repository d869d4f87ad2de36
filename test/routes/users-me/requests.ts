import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { createUser, logIn, readProfile, refresh, type Tokens } from '../../helper.ts'
import { decode } from '../../tokens.ts'

export const PASSWORD = 'correct horse battery'

/** A user with an address, and the tokens of a log-in. */
export async function enter (app: FastifyInstance, username = 'ada', roles: string[] = []): Promise<Tokens & { id: string }> {
  const { id } = await createUser(app, { username, password: PASSWORD, email: `${username}@example.com`, roles })
  return { id, ...await logInAgain(app, username) }
}

export async function logInAgain (app: FastifyInstance, username = 'ada', password = PASSWORD): Promise<Tokens> {
  return await logIn(app, { grant_type: 'password', username, password })
}

/** The id of the session that the tokens belong to. */
export function sidOf ({ access_token: token }: Pick<Tokens, 'access_token'>): string {
  return decode(token.split('.')[1]).sid as string
}

/** Sends a request of the user whose access token it is. */
export async function send (app: FastifyInstance, token: string, method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, payload?: InjectOptions['payload']): Promise<LightMyRequestResponse> {
  const type = payload === undefined ? {} : { 'content-type': 'application/json' }
  return await app.inject({ method, url, headers: { authorization: `Bearer ${token}`, ...type }, ...payload !== undefined && { payload } })
}

/** Asserts an error with its code, and nothing beside what every error has. */
export function isProblem (t: Test, response: LightMyRequestResponse, statusCode: number, code: string, message: string | RegExp = /./): void {
  t.equal(response.statusCode, statusCode)
  t.strictSame(Object.keys(response.json()), ['statusCode', 'code', 'error', 'message'])
  t.match(response.json(), { statusCode, code, message })
  t.equal(response.headers['cache-control'], 'no-store')
}

/** Where the tokens of a session are still good. */
export async function goodFor (app: FastifyInstance, { access_token: accessToken, refresh_token: refreshToken }: Tokens): Promise<string[]> {
  const verified = await app.inject({ url: '/verify', headers: { authorization: `Bearer ${accessToken}` } })
  return [
    ...(await readProfile(app, accessToken)).statusCode === 200 ? ['profile'] : [],
    ...verified.statusCode === 204 ? ['verify'] : [],
    ...(await refresh(app, refreshToken)).statusCode === 200 ? ['refresh'] : []
  ]
}

export const EVERYWHERE = ['profile', 'verify', 'refresh']

/** The mails that are owed, oldest first. */
export async function mails (app: FastifyInstance): Promise<unknown[]> {
  const rows = await app.db.selectFrom('outbox').select(['kind', 'details']).orderBy('id').execute()
  return rows.map(({ kind, details }) => ({ kind, ...JSON.parse(details) as object }))
}

/** All that is stored of the user. */
export async function stored (app: FastifyInstance, id: string) {
  const user = await app.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
  const roles = await app.db.selectFrom('user_roles').selectAll().where('user_id', '=', id).execute()
  return { ...user, roles }
}

/** What was audited with that type, without what differs from run to run. */
export async function audited (app: FastifyInstance, type: string) {
  const rows = await app.db.selectFrom('audit_events').selectAll().where('type', '=', type).orderBy('id').execute()
  return rows.map(({ outcome, actor_id: actorId, user_id: userId, session_id: sessionId, client_id: clientId, ip, details }) =>
    ({ outcome, actorId, userId, sessionId, clientId, ip, details: details === null ? null : JSON.parse(details) as unknown }))
}
