import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes the public keys of Latchkey as PEM files, for gateways that can't read a JWKS: 1.pem to 4.pem, always all of
 * them. Prints the names of those that changed, so that the gateway is reloaded only then. To be run every five
 * minutes: a new key is published ten minutes before it signs. When it fails it changes nothing.
 */
const SLOTS = 4
const TIMEOUT_MS = 10_000

async function fetchKeys (url: string): Promise<string[]> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const { keys } = await response.json() as { keys: JsonWebKey[] }
  if (keys.length === 0 || keys.length > SLOTS) throw new Error(`${url} has ${keys.length} keys; 1 to ${SLOTS} can be written`)
  return keys.map((key) => String(createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })))
}

/** Whether the file is another one now. */
function replace (path: string, content: string): boolean {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return false
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
  return true
}

const [url, directory] = process.argv.slice(2)
if (url === undefined || directory === undefined) {
  process.stderr.write('usage: node jwks-to-pem.ts JWKS_URL DIRECTORY\n')
  process.exit(2)
}

try {
  const keys = await fetchKeys(url)
  mkdirSync(directory, { recursive: true })
  for (let slot = 1; slot <= SLOTS; slot++) {
    // A slot without a key of its own repeats the first: the gateway wants every file.
    const path = join(directory, `${slot}.pem`)
    if (replace(path, keys[slot - 1] ?? keys[0] as string)) process.stdout.write(`${path}\n`)
  }
} catch (error) {
  const { message, cause } = error as Error
  process.stderr.write(`${[message, (cause as Error | undefined)?.message].filter(Boolean).join(': ')}\n`)
  process.exitCode = 1
}
