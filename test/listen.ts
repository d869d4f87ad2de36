import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { findFreePort } from '../bench/free-port.ts'
import { build, type Env } from './helper.ts'

/** Builds the whole service and listens where its `PUBLIC_URL` says, which is the issuer. */
export async function buildIssuer (t: Test, env: Env = {}): Promise<{ app: FastifyInstance, issuer: string }> {
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const app = await build(t, { PUBLIC_URL: issuer, ...env })
  await app.listen({ host: '127.0.0.1', port })
  return { app, issuer }
}
