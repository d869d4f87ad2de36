import { pino, type Logger } from 'pino'
import type { Config } from './config.ts'

// Nothing of the kind is logged on purpose; this is for the day somebody logs a whole object.
const SECRETS = [
  'password', 'current_password', 'new_password', 'password_hash', 'passwordHash', 'secret', 'access_token', 'refresh_token', 'token', 'authorization', 'cookie', 'client_secret',
  'headers.authorization', 'headers.cookie', 'req.headers.authorization', 'req.headers.cookie',
  'body.password', 'body.refresh_token', 'body.token', 'body.client_secret'
]

const STANDARD_OUTPUT = 1

/** JSON lines in production, lines for people otherwise, on the given file descriptor. */
export async function createLogger ({ production, logLevel }: Pick<Config, 'production' | 'logLevel'>, destination = STANDARD_OUTPUT): Promise<Logger> {
  const options = { level: logLevel, redact: SECRETS }
  if (production) return pino(options, pino.destination(destination))
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true, destination }))
}
