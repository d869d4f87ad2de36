import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, 'tokens.lua')

export function hasWrk (): boolean {
  return spawnSync('wrk', ['-v']).error === undefined
}

export interface WrkLoad {
  url: string
  connections: number
  seconds: number
  tokens: readonly string[]
  /** Where the tokens are put for the script. */
  directory: string
}

/**
 * Good answers per second to a faster client than autocannon, which on few cores is itself a limit.
 *
 * @throws Error if one answer was not good
 */
export async function loadWithWrk ({ url, connections, seconds, tokens, directory }: WrkLoad): Promise<number> {
  const file = join(directory, 'tokens.txt')
  writeFileSync(file, tokens.join('\n'), { mode: 0o600 })
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${Math.ceil(seconds)}s`, '-s', SCRIPT, `${url}/users/me`, '--', file])
  const perSecond = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(stdout)?.[1])
  if (!(perSecond > 0) || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk had wrong answers from ${url}:\n${stdout}`)
  return perSecond
}
