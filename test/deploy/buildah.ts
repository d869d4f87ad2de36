import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { canRun } from '../helper.ts'

/** What an image says of how it is run. */
export interface ImageConfig {
  User: string
  Env: string[]
  Cmd: string[]
  WorkingDir: string
  Volumes: Record<string, object>
  ExposedPorts: Record<string, object>
  Healthcheck: { Test: string[] }
  Labels: Record<string, string>
}

/** Debian's buildah with storage of the test's own. */
export interface Buildah {
  makeImage (name: string, root: string, env: Record<string, string>): string
  build (name: string, options: { dockerfile: string, context: string, args: Record<string, string>, volumes: string[] }): Promise<void>
  config (image: string): ImageConfig
  /** The files of the image, in a directory that may be changed. */
  unpack (image: string): string
}

const isThere = (...programs: string[]): boolean => programs.every((program) => existsSync(program))

/** Images are made and run as root, by Debian's programs. */
export function canMakeImages (t: Test): boolean {
  return canRun(t, 'buildah with runc, as root,', process.getuid?.() === 0 && isThere('/usr/bin/buildah', '/usr/sbin/runc'))
}

export function createBuildah (t: Test, directory: string): Buildah {
  mkdirSync(directory)
  const storage = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs']
  const run = (...args: string[]): string => execFileSync('buildah', [...storage, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()
  t.teardown(() => { run('rm', '--all') })

  return {
    makeImage (name, root, env) {
      const container = run('from', 'scratch')
      run('copy', '--quiet', container, root, '/')
      run('config', ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]), container)
      run('commit', '--quiet', '--rm', container, name)
      return name
    },

    async build (name, { dockerfile, context, args, volumes }) {
      const options = [...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]), ...volumes.flatMap((volume) => ['--volume', volume])]
      const child = spawn('buildah', [...storage, 'build', '--isolation', 'chroot', '--format', 'docker', ...options, '--file', dockerfile, '--tag', name, context])
      const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      if (code !== 0) throw new Error(`the image could not be built: ${stdout}${stderr}`)
    },

    config: (image) => (JSON.parse(run('inspect', '--type', 'image', image)) as { Docker: { config: ImageConfig } }).Docker.config,

    unpack: (image) => run('mount', run('from', image))
  }
}
