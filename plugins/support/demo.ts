import fp from 'fastify-plugin'
import { PublicError } from '../../lib/errors.ts'

const DEMO = { username: 'johndoe', password: 'secret', email: 'johndoe@example.com', fullName: 'John Doe' }

/** A user to try the service with, outside production and only in an empty database. */
export default fp(async (fastify) => {
  const { config, users, accounts, passwordHasher, log } = fastify

  if (config.production) {
    const demo = await users.findDemo()
    if (demo !== undefined && await accounts.update(demo.id, { disabled: true }, {})) log.warn({ username: demo.username }, 'The demo user has no place in production and is disabled now; choose a password for it with: latchkey user set-password')
    if (await users.isEmpty()) log.warn('There is no user yet; make the first one with: latchkey user create --username NAME --admin')
    return
  }

  if (await users.isEmpty()) {
    const { password, ...user } = DEMO
    const passwordHash = await passwordHasher.hash(password)
    await users.create({ ...user, emailVerified: true, passwordHash, demo: true }, {}).catch(ignoreConflict)
  }
  if (await users.findDemo() !== undefined) log.info(`Demo user: ${DEMO.username} / ${DEMO.password}`)
}, { name: 'demo', fastify: '5.x', dependencies: ['accounts', 'config', 'password-hasher', 'users'] })

// Another process that starts at the same time has made it.
function ignoreConflict (error: unknown): void {
  if (!(error instanceof PublicError) || error.statusCode !== 409) throw error
}
