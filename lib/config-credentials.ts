import { readFileSync } from 'node:fs'
import { CREDENTIALS } from '../schemas/config.ts'
import type { DatabaseConfig } from './config-database.ts'
import { isWeakSecret } from './service-secret.ts'

/** Puts what the files named by `..._FILE` hold into `values`. */
export function readCredentialFiles (values: Record<string, string>, problems: string[]): void {
  for (const name of CREDENTIALS) {
    const path = values[`${name}_FILE`]
    if (path === undefined) continue
    if (values[name] !== undefined) problems.push(`${name} and ${name}_FILE are both set; set one of them, the other to nothing`)
    try {
      const value = readFileSync(path, 'utf8').trim()
      if (value === '') problems.push(`${name}_FILE names an empty file`)
      else values[name] = value
    } catch {
      problems.push(`${name}_FILE names a file that can't be read`)
    }
  }
}

// Kubernetes gives every container the addresses of the services around it, and one may be called latchkey.
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)$/

/** A typo in the name of a secret must not leave the service with another secret than was meant. */
export function refuseUnknown (values: Readonly<Record<string, string>>, problems: string[]): void {
  const known = new Set(CREDENTIALS.flatMap((name) => [name, `${name}_FILE`]))
  for (const name of Object.keys(values)) {
    if (!name.startsWith('LATCHKEY_') || SERVICE_LINK.test(name)) continue
    if (!known.has(name as typeof CREDENTIALS[number])) problems.push(`${name} is not a setting`)
  }
}

/** Gives none where one has to be made beside the database. */
export function parseSecrets (list: string | undefined, { engine }: DatabaseConfig, problems: string[]): string[] {
  if (list === undefined) {
    if (engine === 'postgres') problems.push('LATCHKEY_SECRET is required with PostgreSQL; make one with: openssl rand -base64 48')
    return []
  }
  const secrets = list.split(',').map((secret) => secret.trim())
  if (secrets.some(isWeakSecret)) {
    problems.push('LATCHKEY_SECRET must be at least 32 random bytes (each, if it is a list); make one with: openssl rand -base64 48')
  }
  return secrets
}
