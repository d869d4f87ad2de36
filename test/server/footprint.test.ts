import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { childEnv, PRODUCTION, REPOSITORY } from '../command.ts'
import { temporaryDirectory } from '../helper.ts'

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
