import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { postForm, readProfile, refresh, type Tokens } from './helper.ts'

export async function revoke (app: FastifyInstance, token: string, more: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return await postForm(app, '/revoke', { token, ...more })
}

/** Whether no token of the session works. */
export async function isDead (app: FastifyInstance, tokens: Tokens): Promise<boolean> {
  const profile = await readProfile(app, tokens.access_token)
  const refreshed = await refresh(app, tokens.refresh_token)
  return profile.statusCode === 401 && refreshed.statusCode === 400
}

export async function isAlive (app: FastifyInstance, tokens: Tokens): Promise<boolean> {
  const profile = await readProfile(app, tokens.access_token)
  const refreshed = await refresh(app, tokens.refresh_token)
  return profile.statusCode === 200 && refreshed.statusCode === 200
}
