import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import type { PluginOptions } from '../../plugins/support/config.ts'
import { ROUTER_OPTIONS } from '../../lib/server-options.ts'
import { testConfig } from '../helper.ts'

interface Meta {
  name: string
  fastify: string
  dependencies?: string[]
}

type Plugin = FastifyPluginAsync<PluginOptions>

const META = Symbol.for('plugin-meta') // written by fastify-plugin

// These read nothing of the other: it has to be there before, for the order of hooks or for who answers.
const ORDER_ONLY = ['answer-bursts after refusal-pace', 'cors after security-headers', 'not-found after cors', 'not-found after errors', 'not-found after log-context', 'not-found after one-host', 'not-found after security-headers', 'one-host after security-headers', 'pipelining after draining', 'swagger after not-found']

const folder = new URL('../../plugins/', import.meta.url)
const plugins = new Map<string, Plugin>()
for (const file of await readdir(folder, { recursive: true })) {
  if (!file.endsWith('.ts')) continue
  const { default: plugin } = await import(new URL(file, folder).href) as { default: Plugin }
  plugins.set(basename(file, '.ts'), plugin)
}

const pluginOf = (name: string): Plugin => {
  const plugin = plugins.get(name)
  if (plugin === undefined) throw new Error(`no file in plugins/ is called ${name}`)
  return plugin
}
const metaOf = (name: string): Meta => (pluginOf(name) as Plugin & { [META]: Meta })[META]

function withDependencies (name: string): string[] {
  const names = new Set<string>()
  const add = (next: string): void => {
    metaOf(next).dependencies?.forEach(add)
    names.add(next)
  }
  add(name)
  return [...names]
}

/** What each plugin adds to the instance, and what it reads there, while these start one after the other. */
async function observe (t: Test, names: string[]): Promise<{ added: Map<string, string>, read: Map<string, Set<string>> }> {
  const added = new Map<string, string>()
  const read = new Map<string, Set<string>>()
  const fastify = Fastify({ routerOptions: ROUTER_OPTIONS })
  t.teardown(async () => { await fastify.close() })
  const options = { app: { config: testConfig(t, { CORS_ORIGINS: 'https://app.example.com' }) } }

  for (const name of names) {
    const reads = new Set<string>()
    read.set(name, reads)
    const observed: Plugin = async (instance, options) => {
      const before = new Set(Reflect.ownKeys(instance))
      const proxy: FastifyInstance = new Proxy(instance, {
        get (target, key) {
          reads.add(String(key))
          return Reflect.get(target, key)
        }
      })
      await pluginOf(name)(proxy, options)
      Reflect.ownKeys(instance).filter((key) => !before.has(key)).forEach((key) => added.set(String(key), name))
    }
    await fastify.register(fp(observed, metaOf(name)), options)
  }
  await fastify.ready()
  return { added, read }
}

t.ok(plugins.size > 20, 'the plugins were found')

for (const name of plugins.keys()) {
  t.test(`${name} is named after its file and starts with only what it declares`, async (t) => {
    t.equal(metaOf(name).name, name)
    t.equal(metaOf(name).fastify, '5.x')
    const fastify = Fastify({ routerOptions: ROUTER_OPTIONS })
    t.teardown(async () => { await fastify.close() })

    for (const needed of withDependencies(name)) fastify.register(pluginOf(needed), { app: { config: testConfig(t) } })

    await t.resolves(async () => { await fastify.ready() })
  })

  t.test(`${name} declares all that it reads, and nothing else`, async (t) => {
    const declared = metaOf(name).dependencies ?? []
    const ordered = declared.filter((other) => ORDER_ONLY.includes(`${name} after ${other}`))

    const { added, read } = await observe(t, withDependencies(name))

    const owners = [...read.get(name) ?? []].flatMap((decorator) => added.get(decorator) ?? []).filter((owner) => owner !== name)
    t.strictSame([...new Set([...owners, ...ordered])].toSorted(), declared)
  })
}

t.test('the order that is declared without reading is needed still', async (t) => {
  const declared = [...plugins.keys()].flatMap((name) => (metaOf(name).dependencies ?? []).map((other) => `${name} after ${other}`))

  t.strictSame(ORDER_ONLY.filter((order) => !declared.includes(order)), [])
})
