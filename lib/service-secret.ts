import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'
import { StartupError } from './errors.ts'

export function secretPathFor (databasePath: string): string {
  const { dir, name } = parse(databasePath)
  return join(dir, `${name}.secret`)
}

/**
 * Reads the secret that belongs to an SQLite database, and makes it if neither exists yet.
 *
 * @throws StartupError if the database is there and its secret is not (a new one could not open its keys),
 *   or if the file can't be read or written
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
  if (!existsSync(path)) {
    if (existsSync(databasePath)) {
      throw new StartupError(`The database ${databasePath} exists but its secret ${path} does not; restore that file or set LATCHKEY_SECRET to the secret it was made with`)
    }
    createOnce(path, `${randomBytes(48).toString('base64url')}\n`)
  }
  return readFileSync(path, 'utf8').trim()
}

/** Whether others than the owner may read the file. */
export function isExposed (path: string): boolean {
  return (statSync(path).mode & 0o077) !== 0
}

// A link appears with its whole content or not at all, so of two processes that start at once
// one wins and the other reads what the winner wrote.
function createOnce (path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(8).toString('hex')}`
  const file = openSync(temporary, 'wx', 0o600)
  writeSync(file, content)
  fsyncSync(file)
  closeSync(file)
  try {
    linkSync(temporary, path)
    syncDirectory(dirname(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(temporary)
  }
}

// Without this a power cut could keep the database and lose the secret that opens it.
function syncDirectory (path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}
