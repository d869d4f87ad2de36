import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { ImageConfig } from './buildah.ts'

export interface Result {
  code: number | null
  stdout: string
  stderr: string
}

export interface Container {
  exec (args: string[], options?: { input?: string, env?: Record<string, string> }): Promise<Result>
  stop (): Promise<Omit<Result, 'stdout'>>
}

/** What the strictest orchestrator allows: no capability, no new privileges, only the volume can be written, no network but its own. */
function specOf (root: string, { User, Env, Cmd, WorkingDir }: ImageConfig, data: string, env: Record<string, string>): object {
  const [uid, gid] = User.split(':').map(Number)
  return {
    ociVersion: '1.0.2',
    process: { user: { uid, gid }, args: Cmd, cwd: WorkingDir, env: [...Env, ...Object.entries(env).map((pair) => pair.join('='))], capabilities: {}, noNewPrivileges: true },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      { destination: '/data', type: 'bind', source: data, options: ['bind', 'rw'] }
    ],
    linux: { namespaces: ['mount', 'pid', 'ipc', 'uts', 'network'].map((type) => ({ type })) }
  }
}

/** Runs the image on its files and waits until it serves; ends it when the test ends. */
export async function startContainer (t: Test, directory: string, root: string, config: ImageConfig, env: Record<string, string>): Promise<Container> {
  const data = join(directory, 'data')
  mkdirSync(data, { mode: 0o700 })
  chownSync(data, ...config.User.split(':').map(Number) as [number, number])
  writeFileSync(join(directory, 'config.json'), JSON.stringify(specOf(root, config, data, env)))

  const runc = (args: string[]) => spawn('runc', ['--root', join(directory, 'state'), ...args])
  const container = runc(['run', '--bundle', directory, 'latchkey'])
  const exit = Promise.all([text(container.stderr), once(container, 'close')]).then(([stderr, [code]]) => ({ stderr, code: code as number | null }))
  t.teardown(async () => {
    await once(runc(['delete', '--force', 'latchkey']), 'close')
    await exit
  })

  let log = ''
  await new Promise<void>((resolve, reject) => {
    container.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('Server listening at')) resolve()
    })
    exit.then(({ code, stderr }) => { reject(new Error(`the container ended with ${code}: ${stderr}${log}`)) }, reject)
  })

  return {
    async exec (args, { input = '', env = {} } = {}) {
      const child = runc(['exec', ...Object.entries(env).flatMap((pair) => ['--env', pair.join('=')]), 'latchkey', ...args])
      child.stdin.end(input)
      const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      return { code: code as number | null, stdout, stderr }
    },
    async stop () {
      runc(['kill', 'latchkey', 'TERM'])
      return await exit
    }
  }
}
