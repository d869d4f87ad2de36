import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { REPOSITORY } from '../command.ts'
import type { Buildah } from './buildah.ts'

const PATH = '/usr/local/bin:/usr/bin:/bin'
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
// The machine's npm and its cache serve for an image that would come from a registry.
export const NPM_CACHE = '/npm-cache'
const FOR_NPM = { HOME: '/root', npm_config_cache: NPM_CACHE, npm_config_prefer_offline: 'true', npm_config_update_notifier: 'false' }
const SHELL = ['/usr/bin/dash', '/usr/bin/env', '/usr/bin/mkdir', '/usr/bin/chown', '/usr/bin/chmod']

/** Makes the two images that the Dockerfile begins with, from what is on this machine: nothing is fetched. */
export function makeBaseImages (buildah: Buildah, directory: string): { base: string, build: string } {
  const forRunning = makeRoot(join(directory, 'base'))
  const forBuilding = makeRoot(join(directory, 'build'))
  addNpm(forBuilding)
  return {
    base: buildah.makeImage('localhost/base', forRunning, { PATH }),
    build: buildah.makeImage('localhost/build', forBuilding, { PATH, ...FOR_NPM, ...existsSync(CERTIFICATES) && { NODE_EXTRA_CA_CERTS: CERTIFICATES } })
  }
}

/** Node and the libraries that it and the packages need; no shell. */
function makeRoot (root: string): string {
  for (const path of ['usr/bin', 'usr/lib', 'usr/lib64', 'usr/local/bin', 'etc', 'tmp']) mkdirSync(join(root, path), { recursive: true })
  chmodSync(join(root, 'tmp'), 0o1777)
  for (const path of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${path}`, join(root, path))
  addProgram(root, join(REPOSITORY, 'node_modules/node/bin/node'), '/usr/local/bin/node')
  const packages = join(REPOSITORY, 'node_modules/@node-rs')
  for (const name of readdirSync(packages)) {
    for (const file of readdirSync(join(packages, name)).filter((file) => file.endsWith('.node'))) addLibraries(root, join(packages, name, file))
  }
  return root
}

function addNpm (root: string): void {
  for (const program of SHELL) addProgram(root, program, program)
  symlinkSync('dash', join(root, 'usr/bin/sh'))
  const npm = dirname(dirname(realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim())))
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
  mkdirSync(join(root, dirname(CERTIFICATES)), { recursive: true })
  if (existsSync(CERTIFICATES)) copyFileSync(CERTIFICATES, join(root, CERTIFICATES))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n')
}

function addProgram (root: string, source: string, target: string): void {
  copyFileSync(source, join(root, target))
  addLibraries(root, source)
}

function addLibraries (root: string, program: string): void {
  for (const [library] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/\/\S+/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    copyFileSync(library, join(root, library))
  }
}
