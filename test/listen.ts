import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { build, type Env } from './helper.ts'

async function findFreePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Builds the whole service and listens where its `PUBLIC_URL` says, which is the issuer. */
export async function buildIssuer (t: Test, env: Env = {}): Promise<{ app: FastifyInstance, issuer: string }> {
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const app = await build(t, { PUBLIC_URL: issuer, ...env })
  await app.listen({ host: '127.0.0.1', port })
  return { app, issuer }
}
