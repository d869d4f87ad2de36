import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { childEnv, REPOSITORY } from '../command.ts'
import { replaceAll, type Program } from './gateway.ts'

/** Runs the script that writes the keys for gateways; gives the files that it says have changed. */
export async function writeKeys (...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(REPOSITORY, 'deploy/jwks-to-pem.ts'), ...args], { env: childEnv({}) })
  return stdout.split('\n').filter((line) => line !== '')
}

export const HAPROXY: Program = {
  path: '/usr/sbin/haproxy',
  config: 'deploy/gateways/haproxy.cfg',
  prepare: async ({ issuer, directory }) => { await writeKeys(`${issuer}/.well-known/jwks.json`, join(directory, 'keys')) },
  adapt: (config, { directory, issuer, latchkey, api, loginPort, apiPort }) => replaceAll(config, {
    'http://localhost:8080': issuer,
    'latchkey:8000': latchkey,
    'api:3000': api,
    'bind :8080': `bind 127.0.0.1:${loginPort}`,
    'bind :8081': `bind 127.0.0.1:${apiPort}`,
    '/etc/haproxy/latchkey': join(directory, 'keys')
  }),
  args: (config) => ['-W', '-f', config]
}
