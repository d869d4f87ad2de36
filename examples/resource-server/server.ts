import { buildApp } from './app.ts'

const { HOST = '127.0.0.1', PORT = '3000', ISSUER = 'http://localhost:8000', AUDIENCE = ISSUER, JWKS_URL = `${ISSUER}/.well-known/jwks.json` } = process.env

const app = await buildApp({ issuer: ISSUER, audience: AUDIENCE, jwksUrl: JWKS_URL }, true)
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => { app.close() })
await app.listen({ host: HOST, port: Number(PORT) })
