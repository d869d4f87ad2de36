import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import packageJson from '../../package.json' with { type: 'json' }
import { REPOSITORY } from '../command.ts'
import { temporaryDirectory } from '../helper.ts'
import { makeBaseImages, NPM_CACHE } from './base-images.ts'
import { canMakeImages, createBuildah } from './buildah.ts'
import { startContainer } from './container.ts'

const IMAGE = 'localhost/latchkey'
const ENV = { PUBLIC_URL: 'https://login.example.com', TRUST_PROXY: 'none' }
const PASSWORD = 'a passphrase of the test'

// Runs inside, where alone the service can be reached.
const LOG_IN = `
  const body = new URLSearchParams({ grant_type: 'password', username: 'ada', password: '${PASSWORD}' })
  const tokens = await (await fetch('http://127.0.0.1:8000/token', { method: 'POST', body })).json()
  const me = await fetch('http://127.0.0.1:8000/users/me', { headers: { authorization: 'Bearer ' + tokens.access_token } })
  console.log(JSON.stringify({ status: me.status, profile: await me.json() }))`

const TRY_TO_WRITE = `
  const { writeFileSync } = await import('node:fs')
  const outcome = (path) => { try { writeFileSync(path, ''); return 'written' } catch ({ code }) { return code } }
  const { getuid, getgid } = process
  console.log(JSON.stringify({ uid: getuid(), gid: getgid(), ...Object.fromEntries(['/new', '/app/new', '/app/node_modules/.cache/latchkey/new', '/tmp/new', '/data/new'].map((path) => [path, outcome(path)])) }))`

async function buildImage (t: Test) {
  const directory = temporaryDirectory(t)
  const buildah = createBuildah(t, join(directory, 'storage'))
  const { base, build } = makeBaseImages(buildah, directory)
  const cache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  await buildah.build(IMAGE, { dockerfile: join(REPOSITORY, 'deploy/Dockerfile'), context: REPOSITORY, args: { BASE_IMAGE: base, BUILD_IMAGE: build }, volumes: [`${cache}:${NPM_CACHE}`] })
  return { directory, root: buildah.unpack(IMAGE), config: buildah.config(IMAGE) }
}

// tap ends the file then, on a machine however slow: nothing waits for it.
t.setTimeout(600_000)

t.test('The image', async (t) => {
  if (!canMakeImages(t)) return
  const { directory, root, config } = await buildImage(t)

  const start = async (t: Test, env: Record<string, string> = ENV) => {
    const bundle = join(directory, `bundle-${t.name.replaceAll(/\W/g, '')}`)
    mkdirSync(bundle)
    return await startContainer(t, bundle, root, config, env)
  }

  t.test('says how it is run: by nobody in particular, in production, with a volume and a look at its health', async (t) => {
    t.equal(config.User, '10001:10001')
    t.strictSame(config.Cmd, packageJson.scripts.start.split(' '))
    t.strictSame(config.Volumes, { '/data': {} })
    t.strictSame(config.ExposedPorts, { '8000/tcp': {} })
    t.strictSame(config.Healthcheck.Test, ['CMD', 'node', 'deploy/healthcheck.js'])
    for (const setting of ['NODE_ENV=production', 'HOST=0.0.0.0', 'DATABASE_URL=file:/data/latchkey.db']) t.ok(config.Env.includes(setting), setting)
  })

  t.test('holds the program with what it needs, and nothing else', async (t) => {
    const { dependencies } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { dependencies: object }

    t.strictSame(globSync('*', { cwd: join(root, 'app') }).toSorted(), ['app.ts', 'assets', 'cli', 'cli.ts', 'deploy', 'lib', 'migrations', 'node_modules', 'package-lock.json', 'package.json', 'plugins', 'routes', 'schemas', 'serve.ts', 'server.ts'])
    t.ok(Object.keys(dependencies).every((name) => existsSync(join(root, 'app/node_modules', name))))
    t.notOk(['tap', 'typescript', 'eslint', 'node'].some((name) => existsSync(join(root, 'app/node_modules', name))))
    t.notOk(existsSync(join(root, 'bin/sh')), 'it needs no shell')
    t.strictSame(globSync('data/**', { cwd: root }), ['data'])
    t.equal(statSync(join(root, 'data')).uid, 10001)
    t.equal(statSync(join(root, 'app/server.ts')).uid, 0, 'whoever runs it can not change it')
  })

  t.test('serves a log-in on a file system that can not be written, and ends with 0', async (t) => {
    const container = await start(t)

    const made = await container.exec(['node', 'cli.ts', 'user', 'create', '--username', 'ada', '--admin'], { input: `${PASSWORD}\n` })
    const loggedIn = await container.exec(['node', '--input-type=module', '-e', LOG_IN])
    const written = await container.exec(['node', '--input-type=module', '-e', TRY_TO_WRITE])
    const health = await container.exec(config.Healthcheck.Test.slice(1))
    const { code } = await container.stop()

    t.equal(made.code, 0, made.stderr)
    t.match(JSON.parse(loggedIn.stdout), { status: 200, profile: { username: 'ada', roles: ['user', 'admin'] } })
    t.strictSame(JSON.parse(written.stdout), { uid: 10001, gid: 10001, '/new': 'EROFS', '/app/new': 'EROFS', '/app/node_modules/.cache/latchkey/new': 'EROFS', '/tmp/new': 'EROFS', '/data/new': 'written' })
    t.equal(health.code, 0)
    t.equal(code, 0)
  })

  t.test('is not healthy while it can not serve', async (t) => {
    const container = await start(t, { ...ENV, PORT: '9000' })
    const look = async (env: Record<string, string>): Promise<number | null> => (await container.exec(config.Healthcheck.Test.slice(1), { env })).code

    t.equal(await look({ PORT: '9000', HOST: '127.0.0.1' }), 0)
    t.equal(await look({ PORT: '9001' }), 1)
  })

  t.test('starts from what was compiled when it was made', async (t) => {
    const container = await start(t, { ...ENV, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' })

    const { stderr } = await container.stop()

    const about = stderr.split('\n').filter((line) => line.startsWith('[compile cache]') && line.includes('file:///app/'))
    t.ok(about.filter((line) => line.includes('was accepted')).length > 50)
    t.ok(about.some((line) => line.endsWith('transpile cache for StrippedTypeScript file:///app/server.ts...success')))
    t.strictSame(about.filter((line) => /rejected|ENOENT/.test(line)), [])
  })
})
