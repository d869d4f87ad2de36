import { availableParallelism } from 'node:os'
import { envSchema, type EnvSchemaOpt } from 'env-schema'
import { ConfigSchema, type Environment } from '../schemas/config.ts'
import { parseSecrets, readCredentialFiles, refuseUnknown } from './config-credentials.ts'
import { parseDatabaseUrl, type DatabaseConfig } from './config-database.ts'
import { parseMail, type MailConfig } from './config-mail.ts'
import { parseOrigins, parsePublicUrl, parseTrustProxy } from './config-network.ts'
import { parseRedisUrl, type RedisConfig } from './config-redis.ts'
import { StartupError } from './errors.ts'
import { MAX_MEMORY_TIMES_PASSES } from './phc.ts'

export interface Config {
  production: boolean
  host: string
  port: number
  /** The issuer: scheme, host and path without a trailing slash. */
  publicUrl: string
  database: DatabaseConfig
  /** None where failures are counted in the database. */
  redis: RedisConfig | undefined
  /** The first encrypts and signs, all decrypt and verify; empty when one has to be made beside the database. */
  secrets: readonly string[]
  /** Seconds. */
  accessTokenTtl: number
  /** Milliseconds. */
  sessionIdleMs: number
  /** Milliseconds. */
  sessionMaxMs: number
  /** Milliseconds. */
  refreshGraceMs: number
  signingAlg: Environment['SIGNING_ALG']
  /** Milliseconds. */
  keyRotationMs: number
  tokenAudience: string
  argon2: { memoryKib: number, timeCost: number, parallelism: number }
  hashConcurrency: number
  /** The threads of libuv, which hash among other things. */
  threads: number
  /** Milliseconds. */
  hashQueueMs: number
  passwordMinLength: number
  /** CIDR ranges of trusted proxies; false trusts nobody. */
  trustProxy: string[] | false
  corsOrigins: readonly string[]
  /** None where nothing is measured; 0 takes a free one. */
  metricsPort: number | undefined
  docs: boolean
  registration: Environment['REGISTRATION']
  requireVerifiedEmail: boolean
  mail: MailConfig
  /** Milliseconds. */
  auditRetentionMs: number
  logLevel: Environment['LOG_LEVEL']
}

// libuv gives half of its threads to name look-ups, and with one alone a hash would wait for each of these.
const FEWEST_THREADS = 2
const DAY = 24 * 60 * 60 * 1000
// PostgreSQL takes no parts of a millisecond.
const daysToMs = (days: number): number => Math.round(days * DAY)
// OWASP's rows for argon2id, from (47104 KiB, 1 pass) to (7168 KiB, 5 passes), all cost at least this much.
const ARGON2_FLOOR = { memoryKib: 7168, memoryTimesPasses: 35_840 }

type Problems = string[]

const AJV_OPTIONS = {
  strictNumbers: false, // otherwise the bounds do not hold for Infinity, which is what "1e400" becomes
  validateSchema: false // the schema is always the same
}

/**
 * Reads and checks all settings together.
 *
 * @throws StartupError that lists every problem by the variable's name and never shows a value
 */
export function loadConfig (env: Readonly<Record<string, string | undefined>>): Config {
  const problems: Problems = []
  const values = withoutEmpty(env)
  readCredentialFiles(values, problems)
  refuseUnknown(values, problems)
  const config = toConfig(validate(values, problems), problems)
  if (problems.length > 0) {
    throw new StartupError(`The settings are wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
  }
  return config
}

function withoutEmpty (env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value !== '') values[name] = value
  }
  return values
}

function validate (values: Record<string, string>, problems: Problems): Environment {
  try {
    return envSchema<Environment>({
      schema: structuredClone(ConfigSchema) as NonNullable<EnvSchemaOpt['schema']>,
      data: values,
      env: false,
      ajv: { customOptions: (ajv) => Object.assign(ajv, { opts: { ...ajv.opts, ...AJV_OPTIONS } }) }
    })
  } catch (error) {
    const { errors } = error as { errors: Array<{ instancePath: string }> }
    const wrong = new Set(errors.map(({ instancePath }) => instancePath.slice(1)))
    for (const name of wrong) problems.push(`${name} ${describe(name)}`)
    // The others are looked at too, so that one attempt shows everything that is wrong.
    return validate(Object.fromEntries(Object.entries(values).filter(([name]) => !wrong.has(name))), problems)
  }
}

function describe (name: string): string {
  const { type, anyOf, minimum, exclusiveMinimum, maximum, minLength } = ConfigSchema.properties[name as keyof Environment] as Record<string, unknown> & { anyOf?: Array<{ const: string }> }
  if (anyOf !== undefined) return `must be one of ${anyOf.map((literal) => literal.const).join(', ')}`
  if (type === 'boolean') return 'must be true or false'
  if (minLength !== undefined) return 'has a wrong length'
  const lower = minimum === undefined ? `above ${String(exclusiveMinimum)}` : `from ${String(minimum)}`
  return `must be ${type === 'integer' ? 'a whole number' : 'a number'} ${lower} to ${String(maximum)}`
}

function toConfig (settings: Environment, problems: Problems): Config {
  const production = settings.NODE_ENV === 'production'
  const publicUrl = parsePublicUrl(settings, production, problems)
  const database = parseDatabaseUrl(settings.DATABASE_URL, problems)
  const hashConcurrency = settings.HASH_CONCURRENCY ?? availableParallelism()
  checkArgon2(settings, production, problems)
  return {
    production,
    // Fastify would give `localhost` a second server for the other loopback address, which has none of our bounds.
    host: settings.HOST === 'localhost' ? '127.0.0.1' : settings.HOST,
    port: settings.PORT,
    publicUrl,
    database,
    redis: parseRedisUrl(settings.REDIS_URL, problems),
    secrets: parseSecrets(settings.LATCHKEY_SECRET, database, problems),
    accessTokenTtl: settings.ACCESS_TOKEN_TTL,
    sessionIdleMs: daysToMs(settings.REFRESH_TOKEN_IDLE_DAYS),
    sessionMaxMs: daysToMs(settings.SESSION_MAX_DAYS),
    refreshGraceMs: settings.REFRESH_GRACE * 1000,
    signingAlg: settings.SIGNING_ALG,
    keyRotationMs: daysToMs(settings.KEY_ROTATION_DAYS),
    tokenAudience: settings.TOKEN_AUDIENCE ?? publicUrl,
    argon2: { memoryKib: settings.ARGON2_MEMORY_KIB, timeCost: settings.ARGON2_TIME_COST, parallelism: settings.ARGON2_PARALLELISM },
    hashConcurrency,
    threads: settings.UV_THREADPOOL_SIZE ?? Math.max(FEWEST_THREADS, hashConcurrency),
    hashQueueMs: settings.HASH_QUEUE_MS,
    passwordMinLength: settings.PASSWORD_MIN_LENGTH,
    trustProxy: parseTrustProxy(settings.TRUST_PROXY, production, problems),
    corsOrigins: parseOrigins(settings.CORS_ORIGINS, problems),
    metricsPort: parseMetricsPort(settings, problems),
    docs: settings.DOCS,
    registration: settings.REGISTRATION,
    requireVerifiedEmail: settings.REQUIRE_VERIFIED_EMAIL,
    mail: parseMail(settings, publicUrl, production, problems),
    auditRetentionMs: daysToMs(settings.AUDIT_RETENTION_DAYS),
    logLevel: settings.LOG_LEVEL
  }
}

function parseMetricsPort ({ METRICS_PORT: metricsPort, PORT: port }: Environment, problems: Problems): number | undefined {
  if (metricsPort !== 0 && metricsPort === port) problems.push('METRICS_PORT must be another port than PORT')
  return metricsPort
}

function checkArgon2 ({ ARGON2_MEMORY_KIB: memory, ARGON2_TIME_COST: passes, ARGON2_PARALLELISM: lanes }: Environment, production: boolean, problems: Problems): void {
  if (memory < 8 * lanes) problems.push('ARGON2_MEMORY_KIB must be at least 8 times ARGON2_PARALLELISM') // RFC 9106 section 3.1
  // A hash of more is not read again.
  if (memory * passes > MAX_MEMORY_TIMES_PASSES) problems.push(`ARGON2_MEMORY_KIB times ARGON2_TIME_COST must be at most ${MAX_MEMORY_TIMES_PASSES}`)
  if (production && (memory < ARGON2_FLOOR.memoryKib || memory * passes < ARGON2_FLOOR.memoryTimesPasses)) {
    problems.push('ARGON2_MEMORY_KIB and ARGON2_TIME_COST are too low for production; 19456 and 2 are the least that OWASP recommends')
  }
}
