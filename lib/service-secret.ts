import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'
import { StartupError } from './errors.ts'
import { makeDirectory } from './make-directory.ts'
import { syncDirectory } from './sync-directory.ts'

export function secretPathFor (databasePath: string): string {
  const { dir, name } = parse(databasePath)
  return join(dir, `${name}.secret`)
}

/** Whether a secret is too short, or too plain, to derive keys from. */
export function isWeakSecret (secret: string): boolean {
  // Fewer than eight different characters is "changemechangeme..." and the like, whatever its length.
  return Buffer.byteLength(secret) < 32 || new Set(secret).size < 8
}

/**
 * Reads the secret that belongs to an SQLite database, and makes it if neither exists yet.
 *
 * @throws StartupError if the database is there and its secret is not (a new one could not open its keys),
 *   if the file holds no usable secret, or if it can't be read or written
 */
export function readOrCreateSecret (databasePath: string): string {
  const path = secretPathFor(databasePath)
  try {
    return readOrCreate(path, databasePath)
  } catch (cause) {
    if (cause instanceof StartupError) throw cause
    throw new StartupError(`The secret file ${path} can't be read or written: check that the directory can be written`, { cause })
  }
}

function readOrCreate (path: string, databasePath: string): string {
  // In this order: another process that starts at the same time makes the secret first and the database then.
  const hasDatabase = existsSync(databasePath)
  if (!existsSync(path)) {
    if (hasDatabase) {
      throw new StartupError(`The database ${databasePath} exists but its secret ${path} does not; restore that file or set LATCHKEY_SECRET to the secret it was made with`)
    }
    createOnce(path, `${randomBytes(48).toString('base64url')}\n`)
  }
  const secret = readFileSync(path, 'utf8').trim()
  // Keys that are derived from an emptied file could be derived by everybody.
  if (isWeakSecret(secret)) throw new StartupError(`The secret file ${path} holds no secret of at least 32 random bytes; restore it`)
  return secret
}

/** Whether others than the owner may read the file. */
export function isExposed (path: string): boolean {
  return (statSync(path).mode & 0o077) !== 0
}

// A link appears with its whole content or not at all, so of two processes that start at once
// one wins and the other reads what the winner wrote.
function createOnce (path: string, content: string): void {
  makeDirectory(dirname(path))
  const temporary = `${path}.${randomBytes(8).toString('hex')}`
  const file = openSync(temporary, 'wx', 0o600)
  writeSync(file, content)
  fsyncSync(file)
  closeSync(file)
  try {
    linkSync(temporary, path)
    syncDirectory(dirname(path)) // or a power cut could keep the database and lose the secret that opens it
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(temporary)
  }
}
