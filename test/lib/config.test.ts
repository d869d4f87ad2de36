import { availableParallelism } from 'node:os'
import t from 'tap'
import { MAX_ACCESS_TOKEN_TTL } from '../../lib/access-token.ts'
import { loadConfig } from '../../lib/config.ts'
import { ConfigSchema } from '../../schemas/config.ts'
import { problemsOf, SECRET } from '../helper.ts'

const DAY = 86_400_000
const OTHER_SECRET = SECRET.toUpperCase()

const defaults = {
  production: false,
  host: '127.0.0.1',
  port: 8000,
  publicUrl: 'http://localhost:8000',
  database: { engine: 'sqlite', path: './data/latchkey.db' },
  redis: undefined,
  secrets: [],
  accessTokenTtl: 600,
  sessionIdleMs: 14 * DAY,
  sessionMaxMs: 90 * DAY,
  refreshGraceMs: 10_000,
  signingAlg: 'ES256',
  keyRotationMs: 30 * DAY,
  tokenAudience: 'http://localhost:8000',
  argon2: { memoryKib: 19456, timeCost: 2, parallelism: 1 },
  hashConcurrency: availableParallelism(),
  threads: Math.max(2, availableParallelism()),
  hashQueueMs: 2000,
  passwordMinLength: 15,
  trustProxy: false,
  corsOrigins: [],
  metricsPort: undefined,
  docs: true,
  registration: 'closed',
  requireVerifiedEmail: false,
  mail: {
    smtpUrl: undefined,
    from: 'Latchkey <no-reply@localhost>',
    passwordResetUrl: 'http://localhost:8000/password-reset',
    emailVerificationUrl: 'http://localhost:8000/email-verification'
  },
  auditRetentionMs: 180 * DAY,
  logLevel: 'info'
}

/** All that follows from the URL under which the service is reached. */
const reachedAt = (publicUrl: string, host: string) => ({
  publicUrl,
  tokenAudience: publicUrl,
  mail: { smtpUrl: undefined, from: `Latchkey <no-reply@${host}>`, passwordResetUrl: `${publicUrl}/password-reset`, emailVerificationUrl: `${publicUrl}/email-verification` }
})

t.test('nothing set means the documented defaults', async (t) => {
  t.strictSame(loadConfig({}), defaults)
})

t.test('an empty or undefined value means that the setting is not set', async (t) => {
  const empty = Object.fromEntries(Object.keys(ConfigSchema.properties).map((name) => [name, '']))

  t.strictSame(loadConfig(empty), defaults)
  t.strictSame(loadConfig({ PORT: undefined, LATCHKEY_SECRET_FILE: '' }), defaults)
})

t.test('what is not a setting of ours is ignored', async (t) => {
  t.strictSame(loadConfig({ PATH: '/usr/bin', HOME: '/root', SECRET: 'x' }), defaults)
})

const settings = [
  { name: 'NODE_ENV', value: 'test', changes: {} },
  { name: 'HOST', value: '0.0.0.0', changes: { host: '0.0.0.0' } },
  { name: 'PORT', value: '9000', changes: { port: 9000, ...reachedAt('http://localhost:9000', 'localhost') } },
  { name: 'PUBLIC_URL', value: 'https://id.example.com/', changes: reachedAt('https://id.example.com', 'id.example.com') },
  { name: 'DATABASE_URL', value: 'file:/var/lib/latchkey.db', changes: { database: { engine: 'sqlite', path: '/var/lib/latchkey.db' } } },
  { name: 'REDIS_URL', value: 'redis://redis', changes: { redis: { host: 'redis', port: 6379, username: undefined, password: undefined, database: 0, isEncrypted: false } } },
  { name: 'LATCHKEY_SECRET', value: `${SECRET}, ${OTHER_SECRET}`, changes: { secrets: [SECRET, OTHER_SECRET] } },
  { name: 'ACCESS_TOKEN_TTL', value: '60', changes: { accessTokenTtl: 60 } },
  { name: 'REFRESH_TOKEN_IDLE_DAYS', value: '0.5', changes: { sessionIdleMs: DAY / 2 } },
  { name: 'SESSION_MAX_DAYS', value: '7', changes: { sessionMaxMs: 7 * DAY } },
  { name: 'REFRESH_GRACE', value: '3', changes: { refreshGraceMs: 3000 } },
  { name: 'SIGNING_ALG', value: 'EdDSA', changes: { signingAlg: 'EdDSA' } },
  { name: 'KEY_ROTATION_DAYS', value: '1.5', changes: { keyRotationMs: 1.5 * DAY } },
  { name: 'TOKEN_AUDIENCE', value: 'api', changes: { tokenAudience: 'api' } },
  { name: 'ARGON2_MEMORY_KIB', value: '65536', changes: { argon2: { ...defaults.argon2, memoryKib: 65536 } } },
  { name: 'ARGON2_TIME_COST', value: '3', changes: { argon2: { ...defaults.argon2, timeCost: 3 } } },
  { name: 'ARGON2_PARALLELISM', value: '4', changes: { argon2: { ...defaults.argon2, parallelism: 4 } } },
  { name: 'HASH_CONCURRENCY', value: '7', changes: { hashConcurrency: 7, threads: 7 } },
  { name: 'UV_THREADPOOL_SIZE', value: '9', changes: { threads: 9 } },
  { name: 'HASH_QUEUE_MS', value: '0', changes: { hashQueueMs: 0 } },
  { name: 'PASSWORD_MIN_LENGTH', value: '8', changes: { passwordMinLength: 8 } },
  { name: 'REGISTRATION', value: 'open', changes: { registration: 'open' } },
  { name: 'REQUIRE_VERIFIED_EMAIL', value: 'true', changes: { requireVerifiedEmail: true } },
  { name: 'SMTP_URL', value: 'smtps://user:pass@mail.example.com', changes: { mail: { ...defaults.mail, smtpUrl: 'smtps://user:pass@mail.example.com' } } },
  { name: 'MAIL_FROM', value: 'login@example.com', changes: { mail: { ...defaults.mail, from: 'login@example.com' } } },
  { name: 'PASSWORD_RESET_URL', value: 'https://app.example.com/reset', changes: { mail: { ...defaults.mail, passwordResetUrl: 'https://app.example.com/reset' } } },
  { name: 'EMAIL_VERIFICATION_URL', value: 'https://app.example.com/verify', changes: { mail: { ...defaults.mail, emailVerificationUrl: 'https://app.example.com/verify' } } },
  { name: 'AUDIT_RETENTION_DAYS', value: '7', changes: { auditRetentionMs: 7 * DAY } },
  { name: 'TRUST_PROXY', value: '10.0.0.0/8, ::1', changes: { trustProxy: ['10.0.0.0/8', '::1'] } },
  { name: 'CORS_ORIGINS', value: 'https://a.example, http://localhost:3000', changes: { corsOrigins: ['https://a.example', 'http://localhost:3000'] } },
  { name: 'METRICS_PORT', value: '9090', changes: { metricsPort: 9090 } },
  { name: 'DOCS', value: 'false', changes: { docs: false } },
  { name: 'LOG_LEVEL', value: 'silent', changes: { logLevel: 'silent' } }
]

t.test('localhost is one address', async (t) => {
  t.equal(loadConfig({ HOST: 'localhost' }).host, '127.0.0.1')
})

t.test('parts of a day are whole milliseconds', async (t) => {
  const days = '0.3333333'

  const config = loadConfig({ REFRESH_TOKEN_IDLE_DAYS: days, SESSION_MAX_DAYS: days, KEY_ROTATION_DAYS: days })

  t.match(config, { sessionIdleMs: 28_799_997, sessionMaxMs: 28_799_997, keyRotationMs: 28_799_997 })
})

t.test('one hash at a time leaves a thread for other things', async (t) => {
  t.match(loadConfig({ HASH_CONCURRENCY: '1' }), { hashConcurrency: 1, threads: 2 })
})

t.test('the table of settings is complete', async (t) => {
  t.strictSame(settings.map(({ name }) => name).toSorted(), Object.keys(ConfigSchema.properties).toSorted())
})

for (const { name, value, changes } of settings) {
  t.test(`${name} changes what it names and nothing else`, async (t) => {
    t.strictSame(loadConfig({ [name]: value }), { ...defaults, ...changes })
  })
}

const numbers = [
  { name: 'PORT', from: '0', to: '65535', below: '-1', above: '65536', problem: 'a whole number from 0 to 65535' },
  { name: 'METRICS_PORT', from: '0', to: '65535', below: '-1', above: '65536', problem: 'a whole number from 0 to 65535' },
  { name: 'ACCESS_TOKEN_TTL', from: '1', to: String(MAX_ACCESS_TOKEN_TTL), below: '0', above: String(MAX_ACCESS_TOKEN_TTL + 1), problem: 'a whole number from 1 to 3600' },
  { name: 'REFRESH_TOKEN_IDLE_DAYS', from: '0.001', to: '3650', below: '0', above: '3650.1', problem: 'a number above 0 to 3650' },
  { name: 'SESSION_MAX_DAYS', from: '0.001', to: '3650', below: '0', above: '3650.1', problem: 'a number above 0 to 3650' },
  { name: 'REFRESH_GRACE', from: '0', to: '300', below: '-1', above: '301', problem: 'a whole number from 0 to 300' },
  { name: 'KEY_ROTATION_DAYS', from: '0.001', to: '3650', below: '0', above: '3650.1', problem: 'a number above 0 to 3650' },
  { name: 'AUDIT_RETENTION_DAYS', from: '0.001', to: '3650', below: '0', above: '3650.1', problem: 'a number above 0 to 3650' },
  { name: 'ARGON2_MEMORY_KIB', from: '8', to: '262144', below: '7', above: '262145', problem: 'a whole number from 8 to 262144' },
  { name: 'ARGON2_TIME_COST', from: '1', to: '20', below: '0', above: '21', problem: 'a whole number from 1 to 20' },
  { name: 'ARGON2_PARALLELISM', from: '1', to: '16', below: '0', above: '17', problem: 'a whole number from 1 to 16' },
  { name: 'HASH_CONCURRENCY', from: '1', to: '128', below: '0', above: '129', problem: 'a whole number from 1 to 128' },
  { name: 'UV_THREADPOOL_SIZE', from: '1', to: '1024', below: '0', above: '1025', problem: 'a whole number from 1 to 1024' },
  { name: 'HASH_QUEUE_MS', from: '0', to: '60000', below: '-1', above: '60001', problem: 'a whole number from 0 to 60000' },
  { name: 'PASSWORD_MIN_LENGTH', from: '8', to: '128', below: '7', above: '129', problem: 'a whole number from 8 to 128' }
]
for (const { name, from, to, below, above, problem } of numbers) {
  t.test(`${name} must be ${problem}`, async (t) => {
    for (const value of [from, to]) t.strictSame(problemsOf({ [name]: value }), [], value)
    for (const value of [below, above, 'many', 'Infinity', '1e400', '10s']) {
      t.strictSame(problemsOf({ [name]: value }), [`${name} must be ${problem}`], value)
    }
  })
}

t.test('whole numbers have no fraction', async (t) => {
  for (const { name, problem } of numbers.filter(({ problem }) => problem.includes('whole'))) {
    t.strictSame(problemsOf({ [name]: '10.5' }), [`${name} must be ${problem}`])
  }
})

const choices = [
  { name: 'NODE_ENV', choice: 'one of development, production, test', refused: ['Production', 'prod', 'production '] },
  { name: 'SIGNING_ALG', choice: 'one of ES256, RS256, EdDSA', refused: ['HS256', 'none', 'es256', 'PS256', 'ES384'] },
  { name: 'LOG_LEVEL', choice: 'one of fatal, error, warn, info, debug, trace, silent', refused: ['INFO', 'verbose', '30'] },
  { name: 'DOCS', choice: 'true or false', refused: ['yes', '1', '0', 'TRUE', 'off'] }
]
for (const { name, choice, refused } of choices) {
  t.test(`${name} must be ${choice}`, async (t) => {
    for (const value of refused) t.strictSame(problemsOf({ [name]: value }), [`${name} must be ${choice}`], value)
  })
}

t.test('TOKEN_AUDIENCE is at most 512 characters long', async (t) => {
  t.strictSame(problemsOf({ TOKEN_AUDIENCE: 'a'.repeat(512) }), [])
  t.strictSame(problemsOf({ TOKEN_AUDIENCE: 'a'.repeat(513) }), ['TOKEN_AUDIENCE has a wrong length'])
})

const MISSPELT = ['LATCHKEY_SECRETS', 'LATCHKEY_SECRET_PATH', 'LATCHKEY_SECERT', 'LATCHKEY_PORTS', 'LATCHKEY_']
for (const name of MISSPELT) {
  t.test(`${name} is refused as a typo`, async (t) => {
    t.strictSame(problemsOf({ [name]: SECRET }), [`${name} is not a setting`])
  })
}

t.test('the addresses that Kubernetes adds for services called latchkey are no typos', async (t) => {
  const links = {
    LATCHKEY_SERVICE_HOST: '10.0.0.11',
    LATCHKEY_SERVICE_PORT: '8000',
    LATCHKEY_SERVICE_PORT_HTTP: '8000',
    LATCHKEY_PORT: 'tcp://10.0.0.11:8000',
    LATCHKEY_PORT_8000_TCP: 'tcp://10.0.0.11:8000',
    LATCHKEY_PORT_8000_TCP_PROTO: 'tcp',
    LATCHKEY_DB_SERVICE_HOST: '10.0.0.12',
    LATCHKEY_DB_PORT_5432_TCP_ADDR: '10.0.0.12'
  }

  t.strictSame(loadConfig(links), defaults)
})
