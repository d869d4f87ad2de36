import { existsSync } from 'node:fs'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { DatabaseConfig } from '../lib/config-database.ts'
import { StartupError } from '../lib/errors.ts'
import { createLogger } from '../lib/logger.ts'
import { readConfig } from '../lib/process-config.ts'
import accounts from '../plugins/data/accounts.ts'
import audit from '../plugins/data/audit.ts'
import database from '../plugins/data/database.ts'
import oneTimeTokens from '../plugins/data/one-time-tokens.ts'
import outbox from '../plugins/data/outbox.ts'
import passwords from '../plugins/data/passwords.ts'
import redis from '../plugins/data/redis.ts'
import roles from '../plugins/data/roles.ts'
import signingKeys from '../plugins/data/signing-keys.ts'
import throttleAdministration from '../plugins/data/throttle-administration.ts'
import throttles from '../plugins/data/throttles.ts'
import userImport from '../plugins/data/user-import.ts'
import users from '../plugins/data/users.ts'
import keyRing from '../plugins/security/key-ring.ts'
import passwordHasher from '../plugins/security/password-hasher.ts'
import passwordPolicy from '../plugins/security/password-policy.ts'
import throttleKeys from '../plugins/security/throttle-keys.ts'
import vault from '../plugins/security/vault.ts'
import clock from '../plugins/support/clock.ts'
import config from '../plugins/support/config.ts'

const STANDARD_ERROR = 2

/** What an audit event says of acts by command: the operator has no account. */
export const OPERATOR = { actorId: 'operator' }

interface ServiceOptions {
  /** For what an installation may begin with: an SQLite database that is not there is made. */
  makesDatabase?: boolean
}

/**
 * Opens the database of the settings, brings its schema up to date, and closes it after the work.
 *
 * @throws StartupError if there is none
 */
export async function withService<Result> (work: (service: FastifyInstance) => Promise<Result>, { makesDatabase = false }: ServiceOptions = {}): Promise<Result> {
  const settings = readConfig()
  if (!makesDatabase) requireDatabase(settings.database)
  const logger: FastifyBaseLogger = await createLogger({ production: settings.production, logLevel: 'warn' }, STANDARD_ERROR)
  const service = Fastify({ loggerInstance: logger })
  try {
    for (const plugin of [config, clock, database, audit, users, userImport, oneTimeTokens, outbox, accounts, roles, passwords, signingKeys, vault, redis, throttleKeys, throttles, throttleAdministration, keyRing, passwordHasher, passwordPolicy]) {
      await service.register(plugin, { app: { config: settings } })
    }
    return await work(service)
  } finally {
    await service.close()
  }
}

// Otherwise a wrong setting would look like an installation without anybody, and a backup of nothing like a good one.
function requireDatabase (database: DatabaseConfig): void {
  if (database.engine === 'postgres' || existsSync(database.path)) return
  throw new StartupError(`There is no database ${database.path}: give the command the settings of the service, DATABASE_URL above all`)
}
