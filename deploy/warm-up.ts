import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Starts and stops the programs once, as in production, so that the image holds them as Node has compiled them.
 * A service that does not start is an image that is not made.
 */
const directory = mkdtempSync(join(tmpdir(), 'warm-up-'))
const env = {
  ...process.env,
  NODE_ENV: 'production',
  PUBLIC_URL: 'http://localhost',
  TRUST_PROXY: 'none',
  DATABASE_URL: `file:${directory}/latchkey.db`,
  PORT: '0',
  METRICS_PORT: '0'
}

async function run (program: string[], isDone: (output: string) => boolean): Promise<void> {
  const child = spawn(process.execPath, program, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (isDone(output)) child.kill('SIGTERM')
  })
  const [code] = await once(child, 'close') as [number | null]
  if (code !== 0) throw new Error(`${program.join(' ')} ended with ${code}: ${output}`)
}

try {
  await run(['--import', './lib/compile-cache.js', 'server.ts'], (output) => output.includes('Server listening at'))
  await run(['cli.ts', 'key', 'list'], () => false)
} finally {
  rmSync(directory, { recursive: true })
}
