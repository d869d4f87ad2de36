import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { PasswordCaller } from '../plugins/security/password-hasher.ts'
import { build, createUser, isOAuthError, postForm, stopClock, type Env } from './helper.ts'

export const PASSWORD = 'correct horse battery'
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
/** The service behind a proxy, which tells where a request comes from. */
export const BEHIND_PROXY = { TRUST_PROXY: '127.0.0.1' }

/** The service behind a proxy, with a stopped clock and the user ada. */
export async function buildWithAda (t: Test, env: Env = {}) {
  const app = await build(t, { ...BEHIND_PROXY, ...env })
  const clock = stopClock(app)
  const { id } = await createUser(app, { username: 'ada', password: PASSWORD, email: 'ada@example.com' })
  return { app, clock, id }
}

/** Tries to log in from that address. */
export async function tryFrom (app: FastifyInstance, ip: string, password = 'wrong', username = 'ada'): Promise<LightMyRequestResponse> {
  return await postForm(app, '/token', { grant_type: 'password', username, password }, { 'x-forwarded-for': ip })
}

/** Fails so many times, one after the other. */
export async function failFrom (app: FastifyInstance, ip: string, times: number, username = 'ada'): Promise<number[]> {
  const statuses = []
  for (let count = 0; count < times; count++) statuses.push((await tryFrom(app, ip, 'wrong', username)).statusCode)
  return statuses
}

/** How many attempts have begun with their hash, or were refused when they were about to. */
export function countBegun (t: Test, app: FastifyInstance): () => number {
  let begun = 0
  const { verify } = app.passwordHasher
  t.intercept(app.passwordHasher, 'verify', {
    value: async (...[stored, password, caller]: Parameters<typeof verify>) => await verify(stored, password, {
      ...caller as PasswordCaller,
      begin: async () => { await Promise.resolve(caller?.begin?.()).finally(() => { begun++ }) }
    })
  })
  return () => begun
}

/** Addresses of as many networks. */
export const addresses = (count: number): string[] => Array.from({ length: count }, (_, index) => `198.${51 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`)

/** Asserts the refusal of an OAuth endpoint, for so many seconds. */
export function isSlowDown (t: Test, response: LightMyRequestResponse, seconds: number): void {
  isOAuthError(t, response, 429, 'slow_down')
  t.equal(response.headers['retry-after'], String(seconds))
}

/** What counts now, wherever it is counted. */
export async function counts (app: FastifyInstance) {
  const all = await app.throttles.list({}, {})
  return all.map(({ rule, userId, network, failures }) => ({ rule, userId, network, failures })).toSorted((one, other) => one.rule.localeCompare(other.rule))
}

/** Forgets all failures and mails that were counted, as if much time had passed. */
export async function forgetCounts (app: FastifyInstance): Promise<void> {
  await app.db.deleteFrom('throttles').execute()
}
