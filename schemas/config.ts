import { Type, type Static } from '@sinclair/typebox'

/** The environment variables that Latchkey reads. The table in the README is made from this schema. */
export const ConfigSchema = Type.Object({
  NODE_ENV: Type.Union([Type.Literal('development'), Type.Literal('production'), Type.Literal('test')], {
    default: 'development',
    description: '`production` makes the demo user impossible and some settings required'
  }),
  HOST: Type.String({ default: '127.0.0.1', minLength: 1, description: 'address to listen on (`0.0.0.0` in a container)' }),
  PORT: Type.Integer({ default: 8000, minimum: 0, maximum: 65535, description: 'port to listen on; 0 takes a free one, and then `PUBLIC_URL` has to be set' }),
  PUBLIC_URL: Type.Optional(Type.String({ description: 'the URL under which clients reach the service; the issuer of its tokens. Default `http://localhost:PORT`; required in production' })),
  DATABASE_URL: Type.String({ default: 'file:./data/latchkey.db', description: '`file:PATH` is an SQLite database, `postgres://USER:PASSWORD@HOST/DATABASE` a PostgreSQL database' }),
  REDIS_URL: Type.Optional(Type.String({ description: '`redis://USER:PASSWORD@HOST:PORT/NUMBER`, or `rediss://` for TLS: failures and mails are counted in Redis. Without it, and while Redis is away, in the database' })),
  LATCHKEY_SECRET: Type.Optional(Type.String({ description: 'the service secret, at least 32 bytes; a comma-separated list rotates it: the first encrypts, all decrypt. With SQLite one is made beside the database; required with PostgreSQL' })),
  ACCESS_TOKEN_TTL: Type.Integer({ default: 600, minimum: 1, maximum: 3600, description: 'lifetime of an access token in seconds' }),
  REFRESH_TOKEN_IDLE_DAYS: Type.Number({ default: 14, exclusiveMinimum: 0, maximum: 3650, description: 'days after which an unused session ends' }),
  SESSION_MAX_DAYS: Type.Number({ default: 90, exclusiveMinimum: 0, maximum: 3650, description: 'days after which every session ends' }),
  REFRESH_GRACE: Type.Integer({ default: 10, minimum: 0, maximum: 300, description: 'seconds in which a refresh token that was just replaced gets the same successor again' }),
  SIGNING_ALG: Type.Union([Type.Literal('ES256'), Type.Literal('RS256'), Type.Literal('EdDSA')], { default: 'ES256', description: 'algorithm of new signing keys' }),
  KEY_ROTATION_DAYS: Type.Number({ default: 30, exclusiveMinimum: 0, maximum: 3650, description: 'days after which a new signing key takes over' }),
  TOKEN_AUDIENCE: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'the `aud` claim of access tokens. Default: `PUBLIC_URL`' })),
  ARGON2_MEMORY_KIB: Type.Integer({ default: 19456, minimum: 8, maximum: 262144, description: 'memory of one password hash in KiB; times `ARGON2_TIME_COST` at most 1048576' }),
  ARGON2_TIME_COST: Type.Integer({ default: 2, minimum: 1, maximum: 20, description: 'passes of one password hash' }),
  ARGON2_PARALLELISM: Type.Integer({ default: 1, minimum: 1, maximum: 16, description: 'lanes of one password hash' }),
  HASH_CONCURRENCY: Type.Optional(Type.Integer({ minimum: 1, maximum: 128, description: 'password hashes that run at a time. Default: the number of cores' })),
  UV_THREADPOOL_SIZE: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024, description: 'threads that hash passwords, read files and look names up. Default: `HASH_CONCURRENCY`, but 2 at least' })),
  HASH_QUEUE_MS: Type.Integer({ default: 2000, minimum: 0, maximum: 60000, description: 'longest wait for a password hash in milliseconds; who would wait longer gets 503 at once' }),
  PASSWORD_MIN_LENGTH: Type.Integer({ default: 15, minimum: 8, maximum: 128, description: 'shortest password that is accepted, in characters' }),
  REGISTRATION: Type.Union([Type.Literal('closed'), Type.Literal('open')], { default: 'closed', description: 'whether people can sign up by themselves' }),
  REQUIRE_VERIFIED_EMAIL: Type.Boolean({ default: false, description: 'whether a user must have proven an e-mail address before the first login' }),
  SMTP_URL: Type.Optional(Type.String({ description: '`smtp://` or `smtps://` URL of the mail server, with credentials. In production `smtp://` needs a server with STARTTLS, except on the own machine or with `?requireTLS=false`. Without it, development logs the mails; required in production with `REGISTRATION=open`' })),
  MAIL_FROM: Type.Optional(Type.String({ minLength: 3, maxLength: 320, description: 'sender of the mails. Default: `Latchkey <no-reply@HOST>` with the host of `PUBLIC_URL`' })),
  PASSWORD_RESET_URL: Type.Optional(Type.String({ description: 'the page that mails for a new password lead to; the token follows as `#token=...`, or where the URL says `{token}`. Default: a page of Latchkey' })),
  EMAIL_VERIFICATION_URL: Type.Optional(Type.String({ description: 'the same for mails that prove an address' })),
  AUDIT_RETENTION_DAYS: Type.Number({ default: 180, exclusiveMinimum: 0, maximum: 3650, description: 'days for which audit events are kept' }),
  TRUST_PROXY: Type.Optional(Type.String({ description: 'addresses or CIDR ranges of the proxies in front, comma-separated, or `none`. Required in production' })),
  CORS_ORIGINS: Type.Optional(Type.String({ description: 'origins that browsers may call from, comma-separated. Default: none' })),
  METRICS_PORT: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535, description: 'port of `GET /metrics` for Prometheus, which is not to be reached from outside; 0 takes a free one. Default: none' })),
  DOCS: Type.Boolean({ default: true, description: 'whether `/docs`, `/openapi.json` and `/` answer' }),
  LOG_LEVEL: Type.Union([
    Type.Literal('fatal'), Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'),
    Type.Literal('debug'), Type.Literal('trace'), Type.Literal('silent')
  ], { default: 'info', description: 'least severity that is logged' })
})

export type Environment = Static<typeof ConfigSchema>

/** Settings that hold credentials: each also comes as `NAME_FILE`, the path of a file that holds the value. */
export const CREDENTIALS = ['DATABASE_URL', 'REDIS_URL', 'LATCHKEY_SECRET', 'SMTP_URL'] as const
