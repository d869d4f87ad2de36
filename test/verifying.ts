import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { build } from './helper.ts'
import { createForge } from './tokens.ts'

interface Verifying extends Pick<Awaited<ReturnType<typeof createForge>>, 'token' | 'claims'> {
  app: FastifyInstance
  /** Asks with the token, unless the headers have another. */
  verify: (options?: InjectOptions, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
}

/** A service, and a gateway that asks it whether to let somebody through. */
export async function buildVerifying (t: Test): Promise<Verifying> {
  const app = await build(t)
  const { token, claims } = await createForge(app)
  return {
    app,
    token,
    claims,
    verify: async (options = {}, headers = {}) => await app.inject({ url: '/verify', ...options, headers: { authorization: `Bearer ${token}`, ...headers } })
  }
}

/** What the gateway would tell the service behind it of the user. */
export function identity ({ headers }: LightMyRequestResponse): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-auth')))
}
