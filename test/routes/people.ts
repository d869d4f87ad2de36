import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Tokens } from '../helper.ts'
import { enter, send } from './users-me/requests.ts'

export interface Person extends Tokens {
  id: string
  send: (method: Parameters<typeof send>[2], url: string, payload?: InjectOptions['payload']) => Promise<LightMyRequestResponse>
}

/** Somebody with these roles who has logged in. */
export async function enterAs (app: FastifyInstance, username: string, ...roles: string[]): Promise<Person> {
  const entered = await enter(app, username, roles)
  return { ...entered, send: async (method, url, payload) => await send(app, entered.access_token, method, url, payload) }
}

/** Somebody with a role that has these scopes and the name of the user, who has logged in. */
export async function enterWith (app: FastifyInstance, username: string, ...scopes: string[]): Promise<Person> {
  await app.roles.set({ name: username, scopes, description: '' }, {})
  return await enterAs(app, username, username)
}

/** All that is stored of users, roles and who has which. */
export async function allRights (app: FastifyInstance) {
  return {
    users: await app.db.selectFrom('users').select(['id', 'username', 'email', 'full_name', 'disabled_at', 'password_hash']).orderBy('id').execute(),
    roles: await app.db.selectFrom('roles').selectAll().orderBy('name').execute(),
    userRoles: await app.db.selectFrom('user_roles').selectAll().orderBy('user_id').orderBy('role').execute(),
    live: await app.db.selectFrom('sessions').select('id').where('revoked_at', 'is', null).orderBy('id').execute(),
    mails: await app.db.selectFrom('outbox').select('id').execute()
  }
}

export const UNKNOWN_ID = '0198c0de-0000-7000-8000-000000000000'
