import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { REPOSITORY } from './command.ts'

interface LockFile {
  /** By where they are installed; the name is there if it is another. */
  packages: Record<string, { name?: string, version?: string }>
}

// The first versions without the faults that are known, one for each major version that was mended.
const FLOORS: Record<string, string[]> = {
  '@fastify/static': ['10.1.3'],
  ajv: ['6.14.0', '8.18.0'],
  'fast-jwt': ['6.3.2'],
  fastify: ['5.12.2'],
  jose: ['6.2.0'],
  jws: ['3.2.3', '4.0.1'],
  node: ['22.22.2', '24.14.1'],
  nodemailer: ['9.1.1']
}
// It looks at another spelling of the path than the router does.
const REFUSED = ['@fastify/middie']

const INSTALLED_AT = 'node_modules/'

function isTooOld (version: string, floors: string[]): boolean {
  if (!/^\d+\.\d+\.\d+$/.test(version)) return true // what comes before a version may lack what the version has
  const floor = floors.find((floor) => major(floor) === major(version)) ?? floors.at(-1) ?? ''
  return version.localeCompare(floor, 'en', { numeric: true }) < 0
}

function major (version: string): string | undefined {
  return version.split('.')[0]
}

function findFaulty ({ packages }: LockFile): string[] {
  return Object.entries(packages).flatMap(([path, { name = path.slice(path.lastIndexOf(INSTALLED_AT) + INSTALLED_AT.length), version = '' }]) => {
    const floors = FLOORS[name]
    const isFaulty = REFUSED.includes(name) || (floors !== undefined && isTooOld(version, floors))
    return isFaulty ? [`${name} ${version}`] : []
  })
}

t.test('The lock file holds no package that is older than the mending of its known faults', async (t) => {
  const lockFile = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as LockFile

  t.same(findFaulty(lockFile), [])
})

for (const [name, floors] of Object.entries(FLOORS)) {
  t.test(`An older ${name} is found wherever it is installed`, async (t) => {
    for (const version of floors.map((floor) => `${major(floor)}.0.0`)) {
      for (const packages of [
        { [`node_modules/${name}`]: { version } },
        { [`node_modules/tap/node_modules/${name}`]: { version } },
        { 'node_modules/another-name': { name, version } }
      ]) t.same(findFaulty({ packages }), [`${name} ${version}`])
    }
  })
}

t.test('A package that must not be there is found', async (t) => {
  t.same(findFaulty({ packages: { 'node_modules/@fastify/middie': { version: '99.0.0' } } }), ['@fastify/middie 99.0.0'])
})

for (const { version, isOld } of [
  { version: '6.13.99', isOld: true },
  { version: '6.14.0', isOld: false },
  { version: '6.100.0', isOld: false },
  { version: '7.99.0', isOld: true },
  { version: '8.17.1', isOld: true },
  { version: '8.18.0-beta.1', isOld: true },
  { version: '8.18.1', isOld: false },
  { version: '10.0.0', isOld: false }
]) {
  t.test(`${version} is ${isOld ? '' : 'not '}too old where 6.14.0 and 8.18.0 are mended`, async (t) => {
    t.equal(isTooOld(version, ['6.14.0', '8.18.0']), isOld)
  })
}
