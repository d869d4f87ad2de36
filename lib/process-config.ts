import { existsSync } from 'node:fs'
import { loadConfig, type Config } from './config.ts'

/**
 * Reads the settings of this process, outside production from `.env` too. Files that it makes from now on
 * (the database, its secret, backups) are for their owner only.
 *
 * @throws StartupError that lists every problem
 */
export function readConfig (): Config {
  process.umask(0o077)
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) process.loadEnvFile('.env')
  return loadConfig(process.env)
}
