import { pino, type Logger } from 'pino'
import type { Config } from './config.ts'

// Nothing of the kind is logged on purpose; this is for the day somebody logs a whole object.
const SECRETS = [
  'password', 'access_token', 'refresh_token', 'token', 'authorization', 'cookie', 'client_secret',
  'headers.authorization', 'headers.cookie', 'req.headers.authorization', 'req.headers.cookie',
  'body.password', 'body.refresh_token', 'body.token', 'body.client_secret'
]

/** JSON lines on standard output; in development, on a terminal or not, lines for people. */
export async function createLogger ({ production, logLevel }: Pick<Config, 'production' | 'logLevel'>): Promise<Logger> {
  const options = { level: logLevel, redact: SECRETS }
  if (production) return pino(options)
  const { default: pretty } = await import('pino-pretty')
  return pino(options, pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true }))
}
