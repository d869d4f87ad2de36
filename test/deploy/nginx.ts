import { join } from 'node:path'
import { replaceAll } from './gateway.ts'

export const NGINX = {
  path: '/usr/sbin/nginx',
  config: 'deploy/gateways/nginx.conf',
  adapt: (config: string, { latchkey, api, loginPort, apiPort }: { latchkey: string, api: string, loginPort: number, apiPort: number }) => replaceAll(config, {
    'latchkey:8000': latchkey,
    'api:3000': api,
    'listen 8080': `listen 127.0.0.1:${loginPort}`,
    'listen 8081': `listen 127.0.0.1:${apiPort}`,
    'worker_processes auto': 'worker_processes 1'
  }),
  args: (config: string, directory: string) => ['-p', directory, '-c', config, '-e', 'stderr', '-g', `daemon off; pid ${join(directory, 'nginx.pid')};`]
}
