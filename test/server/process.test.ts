import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { databasePath, PRODUCTION } from '../command.ts'
import { build, canRun, PUBLIC_URL, temporaryDirectory, testEnv } from '../helper.ts'
import { logInAt, readProfileAt, refreshAt, startServer, type ServerProcess } from '../server-process.ts'

/** The threads that hash, read files and look names up. */
function countWorkers ({ pid }: ServerProcess): number {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).filter((task) => readFileSync(join(tasks, task, 'comm'), 'utf8').trim() === 'libuv-worker').length
}

t.test('A start log names the demo user and the documentation', async (t) => {
  const server = await startServer(t, testEnv(t))

  const code = await server.stop('SIGTERM')

  t.equal(code, 0)
  t.match(server.log(), 'Demo user: johndoe / secret')
  t.match(server.log(), `Try it at ${PUBLIC_URL}/docs`)
})

t.test('A .env file in the working directory is read outside production', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, '.env'), 'DOCS=false\n')
  const server = await startServer(t, testEnv(t, { NODE_ENV: 'development' }), { cwd })

  const { status } = await fetch(`${server.url}/openapi.json`)
  await server.stop('SIGTERM')

  t.equal(status, 404)
  t.notMatch(server.log(), '/docs')
})

t.test('In production a start reads no .env file and logs JSON lines that name neither the demo user nor the documentation', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, '.env'), 'DOCS=false\n')
  const server = await startServer(t, testEnv(t, PRODUCTION), { cwd })

  const { status } = await fetch(`${server.url}/openapi.json`)
  const code = await server.stop('SIGTERM')

  t.equal(code, 0)
  t.equal(status, 200)
  const messages = server.log().trimEnd().split('\n').map((line) => JSON.parse(line).msg)
  t.match(messages.find((message) => message.startsWith('There is no user yet')), 'latchkey user create --username NAME --admin')
  t.notMatch(messages.join('\n'), /johndoe|secret|\/docs/)
})

t.test('A second start on the same data serves the tokens of the first, from files that only their owner can read', async (t) => {
  const umask = process.umask(0o022)
  t.teardown(() => { process.umask(umask) })
  const directory = join(temporaryDirectory(t), 'data')
  const env = testEnv(t, { DATABASE_URL: `file:${directory}/latchkey.db`, LATCHKEY_SECRET: '' })

  const first = await startServer(t, env)
  const tokens = await logInAt(first)
  const modes = Object.fromEntries(['.', ...readdirSync(directory)].map((name) => [name, (statSync(join(directory, name)).mode & 0o777).toString(8)]))
  await first.stop('SIGTERM')
  const second = await startServer(t, env)

  t.same(modes, { '.': '700', 'latchkey.db': '600', 'latchkey.db-shm': '600', 'latchkey.db-wal': '600', 'latchkey.secret': '600' })
  t.equal((await readProfileAt(second, tokens.access_token)).status, 200)
  t.equal((await refreshAt(second, tokens.refresh_token)).status, 200)
  t.equal(await second.stop('SIGTERM'), 0)
})

t.test('There are as many threads as hashes may run, and two for one', async (t) => {
  if (!canRun(t, '/proc', existsSync('/proc/self/task'))) return
  // Other loaders take threads before the server can say how many there are to be.
  const servers = await Promise.all(['1', '7'].map(async (concurrency) => await startServer(t, testEnv(t, { HASH_CONCURRENCY: concurrency, NODE_OPTIONS: '' }))))

  t.strictSame(servers.map(countWorkers), [2, 7])
})

t.test('UV_THREADPOOL_SIZE goes before what would be chosen', async (t) => {
  if (!canRun(t, '/proc', existsSync('/proc/self/task'))) return
  const server = await startServer(t, testEnv(t, { UV_THREADPOOL_SIZE: '5' }))

  t.equal(countWorkers(server), 5)
})

t.test('A start fails with one sentence when the port is taken', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { other.close() })
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo

  const start = startServer(t, testEnv(t, { PORT: String(port) }))

  await t.rejects(start, { message: `The server ended with 1: HOST and PORT: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n` })
})

t.test('A start that fails by nobody\'s mistake shows where', async (t) => {
  const env = testEnv(t)
  await (await build(t, env)).close()
  const database = new DatabaseSync(databasePath(env))
  database.exec('drop table users')
  database.close()

  await t.rejects(startServer(t, env), { message: /^The server ended with 1: Error: no such table: [\s\S]*\n +at / })
})
