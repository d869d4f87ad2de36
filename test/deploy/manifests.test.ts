import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { BlockList } from 'node:net'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import t, { type Test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { findFreePort } from '../../bench/free-port.ts'
import { loadConfig, type Config } from '../../lib/config.ts'
import { REPOSITORY } from '../command.ts'
import { canRun, problemsOf, SECRET, temporaryDirectory, type Env } from '../helper.ts'
import { until } from '../postgres.ts'
import type { Compose, Manifests, Secret } from './manifest-types.ts'

const DEPLOY = join(REPOSITORY, 'deploy')
const DATABASE_URL = 'postgres://latchkey:password@postgres:5432/latchkey'
const REDIS_URL = 'redis://:password@redis:6379'

const read = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8')

/** What the image itself sets. */
const imageEnv = Object.fromEntries([...read('Dockerfile').matchAll(/^(?:ENV|\s+)\s*([A-Z_]+)=(\S+)/gm)].map(([, name, value]) => [name, value])) as Env

/** The settings of a container with these secrets, as the service reads them. */
function settingsOf (t: Test, env: Env, secrets: Record<string, string>): { config: () => Config, problems: string[] } {
  const directory = temporaryDirectory(t)
  const files = Object.fromEntries(Object.entries(env).filter(([name]) => name.endsWith('_FILE')).map(([name, path]) => {
    const secret = path.split('/').at(-1) ?? ''
    const file = join(directory, secret)
    writeFileSync(file, `${secrets[secret] ?? ''}\n`)
    return [name, file]
  }))
  const all = { ...imageEnv, ...env, ...files }
  return { config: () => loadConfig(all), problems: problemsOf(all) }
}

function isIn (range: string, address: string): boolean {
  const [network = '', prefix] = range.split('/')
  const list = new BlockList()
  list.addSubnet(network, Number(prefix))
  return list.check(address)
}

for (const path of ['Dockerfile', '../examples/resource-server/Dockerfile']) {
  t.test(`${path} is well-formed, and what it copies is there`, async (t) => {
    const text = read(path)

    t.strictSame(validate(text, { instructionJSONInSingleQuotes: 2, emptyContinuationLine: 2, instructionCasing: 2, instructionWorkdirRelative: 2 } as object).map(({ message }) => message), [])
    t.match(text, /^USER \d+:\d+$/m)
    t.match(text, /^CMD \["node", (?:"[\w./=-]+", )*"server\.ts"\]$/m)
    for (const [, sources = ''] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of sources.split(' ')) t.ok(existsSync(join(DEPLOY, path, path === 'Dockerfile' ? '../..' : '..', source)), source)
    }
  })
}

t.test('the image is given all that the program is made of, and .dockerignore lets nothing else through', async (t) => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '))
  const allowed = readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1))

  t.strictSame(allowed.toSorted(), copied.toSorted())
  t.strictSame(imageEnv, { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '8000', DATABASE_URL: 'file:/data/latchkey.db', SQLITE_TMPDIR: '/data' })
})

t.test('compose.yaml', async (t) => {
  const { services, secrets, volumes, networks } = parse(read('compose.yaml')) as Compose

  t.test('runs two replicas of Latchkey on PostgreSQL and Redis behind nginx', async (t) => {
    t.strictSame(Object.keys(services), ['latchkey', 'postgres', 'redis', 'nginx', 'api'])
    t.equal(services.latchkey.deploy.replicas, 2)
    t.notOk(services.latchkey.ports, 'only nginx is reached from outside')
    t.ok(services.nginx.ports.every((port) => port.startsWith('127.0.0.1:')))
  })

  t.test('has settings that the service takes, with secrets from files', async (t) => {
    const { environment } = services.latchkey
    const { config, problems } = settingsOf(t, environment, { database_url: DATABASE_URL, redis_url: REDIS_URL, latchkey_secret: SECRET })

    t.strictSame(problems, [])
    t.match(config(), { production: true, host: '0.0.0.0', port: 8000, metricsPort: 9100, database: { engine: 'postgres', url: DATABASE_URL }, redis: { host: 'redis', port: 6379, password: 'password' } })
    t.ok(settingsOf(t, environment, {}).problems.length > 0, 'without secrets there is no start')
    t.match(read('compose.yaml'), 'redis://:%s@redis:6379', 'the URL of Redis is made as it is read')
    t.strictSame(config().trustProxy, [services.nginx.networks.default.ipv4_address], 'nginx is believed, and nobody else')
    const [{ subnet, ip_range: others }] = networks.default.ipam.config
    t.ok(isIn(subnet, services.nginx.networks.default.ipv4_address))
    t.notOk(isIn(others, services.nginx.networks.default.ipv4_address), 'nobody who starts before gets the address of nginx')
  })

  t.test('names only what is there', async (t) => {
    for (const service of Object.values(services)) {
      for (const secret of service.secrets ?? []) t.match(secrets[secret]?.file, /^secrets\/\w+$/)
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        const hasCheck = name === 'latchkey' || Object.hasOwn(services[name as keyof typeof services], 'healthcheck')
        t.ok(condition !== 'service_healthy' || hasCheck, `${name} has a check of its health`)
      }
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':')
        t.ok(source in volumes || existsSync(join(DEPLOY, source)), source)
      }
    }
    t.ok(existsSync(join(DEPLOY, services.api.build, 'Dockerfile')))
    t.ok(existsSync(join(DEPLOY, services.latchkey.build.context, services.latchkey.build.dockerfile)))
  })

  t.test('has a Redis that takes the command, wants the password and throws nothing away', async (t) => {
    const password = join(temporaryDirectory(t), 'password')
    writeFileSync(password, 'its-password')
    const here = (command: string): string => command.replaceAll('$$', '$').replaceAll('/run/secrets/redis_password', password)
    const [shell, option, command] = services.redis.command as [string, string, string]
    const port = await findFreePort()
    if (!canRun(t, 'redis-server', spawnSync('redis-server', ['--version']).status === 0)) return
    const redis = spawn(shell, [option, `${here(command)} --bind 127.0.0.1 --port ${port}`], { stdio: 'ignore', cwd: temporaryDirectory(t) })
    t.teardown(async () => {
      redis.kill('SIGKILL')
      await once(redis, 'close')
    })

    const isHealthy = (check: string): boolean => spawnSync('sh', ['-c', check.replace('redis-cli', `redis-cli -h 127.0.0.1 -p ${port}`)]).status === 0
    const [, check] = services.redis.healthcheck.test as [string, string]

    t.ok(await until(() => isHealthy(here(check))))
    t.notOk(isHealthy('redis-cli ping | grep -q PONG'), 'without the password there is no answer')
    t.ok(isHealthy(here(check).replace('ping | grep -q PONG', 'config get maxmemory-policy | grep -q noeviction')))
  })

  t.test('gives nothing more rights than it needs', async (t) => {
    for (const name of ['latchkey', 'redis', 'api'] as const) t.match(services[name], { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
  })
})

t.test('kubernetes', async (t) => {
  const documents = parseAllDocuments(read('kubernetes/latchkey.yaml')).map((document): unknown => document.toJS()) as Manifests
  const [deployment, service, budget, policy] = documents
  const pod = deployment.spec.template
  const [container] = pod.spec.containers
  const ports = container.ports.map(({ name }) => name)

  t.test('has a deployment, a service, a disruption budget and a network policy that mean the same pods', async (t) => {
    t.strictSame(documents.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`), ['apps/v1 Deployment', 'v1 Service', 'policy/v1 PodDisruptionBudget', 'networking.k8s.io/v1 NetworkPolicy'])
    const { labels } = pod.metadata
    for (const selector of [deployment.spec.selector.matchLabels, service.spec.selector, budget.spec.selector.matchLabels, policy.spec.podSelector.matchLabels]) t.strictSame(selector, labels)
    t.ok(deployment.spec.replicas > budget.spec.minAvailable, 'a node can be emptied')
    t.strictSame(ports, ['http', 'metrics'])
    t.equal(service.spec.ports.length, 1, 'the metrics are not offered')
  })

  t.test('has settings that the service takes, with secrets from files', async (t) => {
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]))
    const { config, problems } = settingsOf(t, env, { 'database-url': DATABASE_URL, 'latchkey-secret': SECRET })

    t.strictSame(problems, [])
    t.match(config(), { production: true, database: { engine: 'postgres' }, hashConcurrency: 2, metricsPort: container.ports[1].containerPort, port: container.ports[0].containerPort })
    t.notMatch(read('kubernetes/latchkey.yaml'), /secretKeyRef/)

    const [, redisUrlFile = ''] = /# - name: REDIS_URL_FILE\n +# +value: (\S+)/.exec(read('kubernetes/latchkey.yaml')) ?? []
    t.match(settingsOf(t, { ...env, REDIS_URL_FILE: redisUrlFile }, { 'database-url': DATABASE_URL, 'latchkey-secret': SECRET, 'redis-url': REDIS_URL }).config().redis, { host: 'redis' })
  })

  t.test('looks at its health where it is', async (t) => {
    t.strictSame([container.startupProbe, container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet), [
      { path: '/health/ready', port: 'http' }, { path: '/health/ready', port: 'http' }, { path: '/health/live', port: 'http' }
    ])
    t.ok(pod.spec.terminationGracePeriodSeconds > container.lifecycle.preStop.sleep.seconds + 10, 'what is in flight may finish')
  })

  t.test('gives it no right that it does not need', async (t) => {
    t.match(pod.spec, { automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } } })
    t.strictSame(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } })
  })

  t.test('has a secret of that shape, and nothing in it', async (t) => {
    const secret = parse(read('kubernetes/secret.yaml.example')) as Secret

    t.equal(secret.metadata.name, pod.spec.volumes[0].secret.secretName)
    const wanted = container.env.filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => value.split('/').at(-1) ?? '')
    t.strictSame(Object.keys(secret.stringData).toSorted(), wanted.toSorted())
    t.strictSame(new Set(Object.values(secret.stringData)), new Set(['']))
  })
})
