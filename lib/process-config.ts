import { existsSync } from 'node:fs'
import { loadConfig, type Config } from './config.ts'
import { StartupError } from './errors.ts'

/**
 * Reads the settings of this process, outside production from `.env` too. Files that it makes from now on
 * (the database, its secret, backups) are for their owner only.
 *
 * @throws StartupError that lists every problem
 */
export function readConfig (): Config {
  process.umask(0o077)
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) loadDotEnv()
  return loadConfig(process.env)
}

function loadDotEnv (): void {
  try {
    process.loadEnvFile('.env')
  } catch (cause) {
    throw new StartupError('.env can\'t be read', { cause })
  }
}
