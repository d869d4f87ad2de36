// Log-in and session as the documentation of Better Auth has them: https://www.better-auth.com/docs
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { hash, verify } from '@node-rs/argon2'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'

const { PORT, DATABASE, SECRET, PASSWORD } = process.env
const SETTINGS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

const source = new DatabaseSync(DATABASE)
const options = {
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: SECRET,
  trustedOrigins: ['https://app.example.com'],
  database: new DatabaseSync(`${DATABASE}.better-auth`),
  telemetry: { enabled: false },
  rateLimit: { enabled: false }, // all of the load comes from one address
  emailAndPassword: {
    enabled: true,
    autoSignIn: false,
    password: {
      hash: async (password) => await hash(password, SETTINGS),
      verify: async ({ hash, password }) => await verify(hash, password)
    }
  }
}

const { runMigrations } = await getMigrations(options)
await runMigrations()
const auth = betterAuth(options)
for (const { email, full_name: name } of source.prepare('select email, full_name from users').all()) {
  await auth.api.signUpEmail({ body: { email, name, password: PASSWORD } })
}

createServer(toNodeHandler(auth)).listen(Number(PORT), '127.0.0.1')
