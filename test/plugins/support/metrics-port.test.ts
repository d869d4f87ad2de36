import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { buildApp } from '../../../app.ts'
import { build, captureLog, logIn, problemsOf, temporaryDirectory, testConfig, testEnv } from '../../helper.ts'
import { ask, buildMeasured } from '../../scrape.ts'
import { startServer } from '../../server-process.ts'

t.test('the service itself does not tell', async (t) => {
  const { app } = await buildMeasured(t)

  const response = await app.inject('/metrics')

  t.equal(response.statusCode, 404)
})

t.test('on their port there is nothing else', async (t) => {
  const { url } = await buildMeasured(t)
  const { origin } = new URL(url)

  for (const path of ['/', '/metrics/', '/metrics?a', '//metrics', '/token', '/docs', '/health/live', '/users/me']) {
    const response = await ask(origin + path)
    t.equal(response.status, 404, path)
    t.equal(await response.text(), '')
  }
  const posted = await ask(url, 'POST')
  t.strictSame({ status: posted.status, allow: posted.headers.get('allow') }, { status: 405, allow: 'GET, HEAD' })
  const asked = await ask(url, 'HEAD')
  t.strictSame({ status: asked.status, text: await asked.text() }, { status: 200, text: '' })
})

t.test('the text is as Prometheus wants it, and nobody keeps it', async (t) => {
  const { url } = await buildMeasured(t)

  const { status, headers } = await ask(url)

  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(headers.get('cache-control'), 'no-store')
  t.equal(headers.get('x-content-type-options'), 'nosniff')
})

t.test('a figure that can not be had is 500 without a word, and the log says why', async (t) => {
  const { app, url, log } = await buildMeasured(t)
  t.intercept(app.keyRing, 'current', { value: () => { throw new Error('CANARY') } })

  const response = await ask(url)

  t.strictSame({ status: response.status, text: await response.text() }, { status: 500, text: '' })
  t.match(log.lines.at(-1), { level: 50, err: { message: 'CANARY' } })
})

t.test('they close with the service', async (t) => {
  const { app, url } = await buildMeasured(t)
  await fetch(url).then(async (response) => await response.text())

  await app.close()

  await t.rejects(ask(url), { cause: { code: 'ECONNREFUSED' } })
})

t.test('they listen where the service does', async (t) => {
  const { url } = await buildMeasured(t, { HOST: '::1' })

  t.match(url, /^http:\/\/\[::1\]:\d+\/metrics$/)
  t.equal((await ask(url)).status, 200)
})

t.test('a port that is taken stops the start, and what was opened is closed', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { other.close() })
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo

  await t.rejects(buildApp(testConfig(t, { METRICS_PORT: String(port) }), captureLog().logger), { name: 'StartupError', message: /^METRICS_PORT: listen EADDRINUSE/ })
})

t.test('METRICS_PORT is a port of its own', async (t) => {
  t.strictSame(problemsOf(testEnv(t, { PORT: '8000', METRICS_PORT: '8000' })), ['METRICS_PORT must be another port than PORT'])
  t.strictSame(problemsOf(testEnv(t, { PORT: '8000', METRICS_PORT: '70000' })), ['METRICS_PORT must be a whole number from 0 to 65535'])
  t.strictSame(problemsOf(testEnv(t, { PORT: '0', METRICS_PORT: '0' })), [])
})

/** The files of the metrics library that a process of the service has loaded. */
async function loadedFiles (t: Test, env: Record<string, string>): Promise<string[]> {
  const spy = join(temporaryDirectory(t), 'spy.mjs')
  writeFileSync(spy, `import module from 'node:module'
    process.once('SIGCONT', () => {
      console.log('loaded: ' + JSON.stringify(Object.keys(module._cache)))
      process.exit(0)
    })`)
  const server = await startServer(t, testEnv(t, env), { nodeArguments: [`--import=${spy}`] })
  await server.stop('SIGCONT')
  const files = JSON.parse(/^loaded: (.*)$/m.exec(server.log())?.[1] ?? '[]') as string[]
  return files.filter((file) => /prometheus|opentelemetry|tdigest/.test(file))
}

t.test('nothing of them is loaded unless they are wanted', async (t) => {
  t.ok((await loadedFiles(t, { METRICS_PORT: '0' })).length > 10)
  t.strictSame(await loadedFiles(t, {}), [])
})

t.test('nothing is measured unless they are wanted', async (t) => {
  const app = await build(t)
  const watched = t.capture(app.passwordHasher.queue, 'watch')

  await logIn(app)

  t.strictSame(watched(), [])
})
