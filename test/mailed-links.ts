import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { TokenPurpose } from '../plugins/data/one-time-tokens.ts'
import { createUser } from './helper.ts'

export const PASSWORD = 'correct horse battery'
export const NEW_PASSWORD = 'staple of another kind'
export const LINK_LIFETIME_MS = 30 * 60 * 1000

export const INVALID_LINK = { statusCode: 400, code: 'invalid_token', error: 'Bad Request', message: 'The link is not valid any more; ask for a new one' }

/** A user with an unproven address, the password `PASSWORD`, and the log-in of that. */
export async function addUser (app: FastifyInstance, username = 'ada') {
  const { id } = await createUser(app, { username, password: PASSWORD, email: `${username}@example.com` })
  return { id, email: `${username}@example.com`, login: { grant_type: 'password', username, password: PASSWORD } }
}

/** A token as a mail carries it, to the address of the user or another one. */
export async function mailToken (app: FastifyInstance, purpose: TokenPurpose, username = 'ada', email?: string): Promise<string> {
  const user = await app.users.find(username)
  const login = await app.users.findForLogin(username)
  if (user === null || user === undefined || login === undefined) throw new Error(`there is no ${username}`)
  const subject = { userId: user.id, email: email ?? user.email, passwordVersion: login.passwordVersion }
  return await app.db.transaction().execute(async (tx) => await app.oneTimeTokens.issue(tx, purpose, subject, LINK_LIFETIME_MS))
}

export async function sendJson (app: FastifyInstance, method: 'POST' | 'PUT', url: string, payload: InjectOptions['payload'], headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return await app.inject({ method, url, headers: { 'content-type': 'application/json', ...headers }, payload: payload as object })
}

export const requestReset = async (app: FastifyInstance, email: string) => await sendJson(app, 'POST', '/password-reset', { email })
export const requestVerification = async (app: FastifyInstance, email: string) => await sendJson(app, 'POST', '/email-verification', { email })
export const reset = async (app: FastifyInstance, token: string, newPassword = NEW_PASSWORD) => await sendJson(app, 'PUT', '/password-reset', { token, new_password: newPassword })
export const verify = async (app: FastifyInstance, token: string) => await sendJson(app, 'PUT', '/email-verification', { token })

/** All of an answer but for what tells the time. */
export function bytesOf ({ statusCode, headers, body }: LightMyRequestResponse): object {
  return { statusCode, headers: { ...headers, date: '' }, body }
}
