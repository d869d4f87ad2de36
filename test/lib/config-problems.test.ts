import { inspect } from 'node:util'
import t from 'tap'
import { loadConfig } from '../../lib/config.ts'
import { StartupError } from '../../lib/errors.ts'
import { problemsOf } from '../helper.ts'

t.test('a wrong start', async (t) => {
  const CANARY = 'canary-7f3a'
  const everythingWrong = {
    NODE_ENV: 'production',
    PORT: CANARY,
    PUBLIC_URL: `https://admin:${CANARY}@id.example.com`,
    DATABASE_URL: `postgres://latchkey:${CANARY}@db/latchkey?sslmode=${CANARY}`,
    REDIS_URL: `redis://latchkey:${CANARY}@redis/${CANARY}`,
    LATCHKEY_SECRET: CANARY,
    LATCHKEY_SECRET_FILE: `/${CANARY}`,
    LATCHKEY_SECRETS: CANARY,
    ACCESS_TOKEN_TTL: CANARY,
    REFRESH_TOKEN_IDLE_DAYS: CANARY,
    SESSION_MAX_DAYS: CANARY,
    REFRESH_GRACE: CANARY,
    SIGNING_ALG: CANARY,
    KEY_ROTATION_DAYS: CANARY,
    TOKEN_AUDIENCE: CANARY.repeat(100),
    ARGON2_MEMORY_KIB: '8',
    ARGON2_TIME_COST: '1',
    ARGON2_PARALLELISM: CANARY,
    HASH_CONCURRENCY: CANARY,
    UV_THREADPOOL_SIZE: CANARY,
    HASH_QUEUE_MS: CANARY,
    PASSWORD_MIN_LENGTH: CANARY,
    TRUST_PROXY: CANARY,
    CORS_ORIGINS: CANARY,
    DOCS: CANARY,
    LOG_LEVEL: CANARY
  }

  t.test('names every setting that is wrong, together', async (t) => {
    const named = problemsOf(everythingWrong).flatMap((problem) => problem.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|^(?:PORT|DOCS)\b/g) ?? [])

    t.strictSame([...new Set(named)].toSorted(), Object.keys(everythingWrong).filter((name) => name !== 'NODE_ENV').toSorted())
  })

  t.test('is one StartupError that shows no value', async (t) => {
    try {
      loadConfig(everythingWrong)
      t.fail('the settings were taken')
    } catch (error) {
      t.type(error, StartupError)
      t.match(error, { name: 'StartupError', message: /^The settings are wrong:\n {2}- / })
      t.notMatch(inspect(error, { depth: Infinity, showHidden: true }), CANARY)
    }
  })

  t.test('does not touch what it was given', async (t) => {
    const env = Object.freeze({ PORT: 'x', DOCS: 'false' })

    t.strictSame(problemsOf(env), ['PORT must be a whole number from 0 to 65535'])
  })
})
