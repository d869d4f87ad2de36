import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import packageJson from '../../package.json' with { type: 'json' }
import { childEnv, PRODUCTION, REPOSITORY, runCommand } from '../command.ts'
import { temporaryDirectory, testEnv } from '../helper.ts'
import { startServer } from '../server-process.ts'

const PROGRAM = `
  const { createRequire } = await import('node:module')
  const { pino } = await import('pino')
  const { buildApp } = await import('./app.ts')
  const { loadConfig } = await import('./lib/config.ts')
  const app = await buildApp(loadConfig(process.env), pino({ level: 'silent' }))
  await app.ready()
  const files = [...Object.keys(createRequire(import.meta.url).cache), ...process.report.getReport().sharedObjects]
  process.stdout.write(JSON.stringify({ files, builtins: process.moduleLoadList }))
  await app.close()
`

t.test('What only some need is not loaded before', async (t) => {
  const env = { ...PRODUCTION, DATABASE_URL: `file:${join(temporaryDirectory(t), 'latchkey.db')}` }

  const output = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { cwd: REPOSITORY, env: childEnv(env), encoding: 'utf8' })

  const { files, builtins } = JSON.parse(output) as { files: string[], builtins: string[] }
  const packages = new Set(files.flatMap((file) => /\/node_modules\/((?:@[^\/]+\/)?[^\/]+)\/(?!.*\/node_modules\/)/v.exec(file)?.[1] ?? []))
  t.ok(packages.has('fastify'))
  t.ok([...packages].some((name) => name.startsWith('@node-rs/argon2')))
  t.same([...packages].filter((name) => /^(?:pg|ioredis|nodemailer|pino-pretty|@node-rs\/bcrypt.*)$/v.test(name)), [])
  t.ok(builtins.includes('NativeModule http'))
  t.notOk(builtins.includes('NativeModule internal/deps/undici/undici'), 'Node\'s fetch')
})

const TELL_COMPILER = `process.on('exit', () => {
  console.log('loaded:' + process.moduleLoadList.includes('NativeModule internal/deps/amaro/dist/index'))
})`

t.test('From the second start on npm start needs no compiler for TypeScript', async (t) => {
  const [, ...options] = packageJson.scripts.start.split(' ').slice(0, -1)
  const teller = join(temporaryDirectory(t), 'teller.mjs')
  writeFileSync(teller, TELL_COMPILER)
  const startAndStop = async (): Promise<string> => {
    const server = await startServer(t, testEnv(t, { NODE_OPTIONS: '' }), { nodeArguments: [...options, '--import', teller] })
    await server.stop('SIGTERM')
    return server.log()
  }

  await startAndStop()

  t.match(await startAndStop(), 'loaded:false')
})

t.test('From the second time on the command is not compiled', async (t) => {
  const env = { NODE_OPTIONS: '', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }

  await runCommand(env, ['--version'])
  const { stderr } = await runCommand(env, ['--version'])

  t.match(stderr, /transpile cache for StrippedTypeScript file:\S+\/cli\/program\.ts\.\.\.success/)
})
