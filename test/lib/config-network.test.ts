import Fastify from 'fastify'
import t from 'tap'
import { loadConfig } from '../../lib/config.ts'
import { problemsOf } from '../helper.ts'

const production = { NODE_ENV: 'production', PUBLIC_URL: 'https://id.example.com', TRUST_PROXY: 'none' }

t.test('production needs PUBLIC_URL and TRUST_PROXY and nothing else', async (t) => {
  t.strictSame(problemsOf({ NODE_ENV: 'production' }), [
    'PUBLIC_URL is required in production',
    'TRUST_PROXY is required in production: the CIDR ranges of the proxies in front, or none'
  ])
  t.strictSame(loadConfig(production), { ...loadConfig({ PUBLIC_URL: production.PUBLIC_URL }), production: true })
})

t.test('production says what it lacks beside what is wrong', async (t) => {
  t.strictSame(problemsOf({ NODE_ENV: 'production', PORT: 'x' }), [
    'PORT must be a whole number from 0 to 65535',
    'PUBLIC_URL is required in production',
    'TRUST_PROXY is required in production: the CIDR ranges of the proxies in front, or none'
  ])
})

t.test('PUBLIC_URL', async (t) => {
  const read = [
    { value: 'https://id.example.com/', url: 'https://id.example.com' },
    { value: 'https://ID.Example.com:443/login//', url: 'https://id.example.com/login' },
    { value: 'https://example.com:8443/auth', url: 'https://example.com:8443/auth' }
  ]
  for (const { value, url } of read) {
    t.test(`${value} is the issuer ${url}`, async (t) => {
      t.equal(loadConfig({ PUBLIC_URL: value }).publicUrl, url)
    })
  }

  const refused = [
    'id.example.com', '//id.example.com', '/login', 'ftp://id.example.com', 'file:///srv', 'javascript:alert(1)',
    'https://', 'https://admin@id.example.com', 'https://admin:pw@id.example.com', 'https://:pw@id.example.com',
    'https://id.example.com?', 'https://id.example.com?a=b', 'https://id.example.com#', 'https://id.example.com/#top'
  ]
  for (const value of refused) {
    t.test(`${value} is refused`, async (t) => {
      const problem = 'PUBLIC_URL must be an http or https URL without credentials, query or fragment'

      t.strictSame(problemsOf({ PUBLIC_URL: value }), [problem])
      t.strictSame(problemsOf({ ...production, PUBLIC_URL: value }), [problem])
    })
  }

  for (const value of ['http://id.example.com', 'http://127.example.com', 'http://localhost.example.com', 'http://10.0.0.1', 'http://[::2]']) {
    t.test(`${value} is refused in production only`, async (t) => {
      t.strictSame(problemsOf({ PUBLIC_URL: value }), [])
      t.strictSame(problemsOf({ ...production, PUBLIC_URL: value }), ['PUBLIC_URL must begin with https:// in production'])
    })
  }

  for (const value of ['http://localhost:8000', 'http://127.0.0.1:8000', 'http://127.1.2.3', 'http://[::1]:8000']) {
    t.test(`${value} is the own machine and taken in production`, async (t) => {
      t.strictSame(problemsOf({ ...production, PUBLIC_URL: value }), [])
    })
  }
})

t.test('argon2 in production', async (t) => {
  const cases = [
    { memory: '47104', passes: '1', enough: true },
    { memory: '35840', passes: '1', enough: true },
    { memory: '35839', passes: '1', enough: false },
    { memory: '19456', passes: '2', enough: true },
    { memory: '19456', passes: '1', enough: false },
    { memory: '7168', passes: '5', enough: true },
    { memory: '7168', passes: '4', enough: false },
    { memory: '7167', passes: '20', enough: false },
    { memory: '8', passes: '20', enough: false }
  ]
  for (const { memory, passes, enough } of cases) {
    t.test(`${memory} KiB and ${passes} passes are ${enough ? 'enough' : 'too little'}`, async (t) => {
      const cost = { ARGON2_MEMORY_KIB: memory, ARGON2_TIME_COST: passes }
      const problem = 'ARGON2_MEMORY_KIB and ARGON2_TIME_COST are too low for production; 19456 and 2 are the least that OWASP recommends'

      t.strictSame(problemsOf({ ...production, ...cost }), enough ? [] : [problem])
      t.strictSame(problemsOf(cost), [])
    })
  }
})

t.test('each lane of a hash has the memory that it needs', async (t) => {
  t.strictSame(problemsOf({ ARGON2_MEMORY_KIB: '32', ARGON2_PARALLELISM: '4' }), [])
  t.strictSame(problemsOf({ ARGON2_MEMORY_KIB: '31', ARGON2_PARALLELISM: '4' }), ['ARGON2_MEMORY_KIB must be at least 8 times ARGON2_PARALLELISM'])
})

t.test('no more work is set than a stored hash may ask for', async (t) => {
  const problem = 'ARGON2_MEMORY_KIB times ARGON2_TIME_COST must be at most 1048576'

  t.strictSame(problemsOf({ ARGON2_MEMORY_KIB: '262144', ARGON2_TIME_COST: '4' }), [])
  t.strictSame(problemsOf({ ARGON2_MEMORY_KIB: '262144', ARGON2_TIME_COST: '5' }), [problem])
  t.strictSame(problemsOf({ ARGON2_MEMORY_KIB: '52429', ARGON2_TIME_COST: '20' }), [problem])
})

t.test('TRUST_PROXY', async (t) => {
  t.test('none trusts nobody', async (t) => {
    t.equal(loadConfig({ TRUST_PROXY: 'none' }).trustProxy, false)
  })

  const accepted = [
    '127.0.0.1', '::1', '10.0.0.0/8', '192.168.1.1/32', '0.0.0.0/1', 'fd00::/8', '2001:db8::1/128', '::ffff:10.0.0.1',
    '10.0.0.0/8,172.16.0.0/12 , 192.168.0.0/16,::1'
  ]
  for (const value of accepted) {
    t.test(`${value} is taken, by the framework too`, async (t) => {
      const { trustProxy } = loadConfig({ TRUST_PROXY: value })

      t.strictSame(trustProxy, value.split(',').map((range) => range.trim()))
      t.doesNotThrow(() => Fastify({ trustProxy }))
    })
  }

  const refused = [
    'true', 'false', '1', '2', '0', '*', 'all', 'any', 'loopback', 'uniquelocal', 'proxy', 'proxy.internal', 'localhost',
    '0.0.0.0/0', '::/0', '10.0.0.0/0', '10.0.0.0/00', '10.0.0.0/08', '10.0.0.0/33', '::1/129', '::1/1000', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8.0',
    '10.0.0.0/255.0.0.0', '10.0.0.0/8/8', '10.0.0', '010.0.0.1', '256.0.0.1', '/8', ',', '10.0.0.0/8,', '10.0.0.0/8,true', '10.0.0.0/8,0.0.0.0/0',
    'none,10.0.0.0/8', 'None', '10.0.0.0/8 172.16.0.0/12', '10.0.0.1:8080'
  ]
  for (const value of refused) {
    t.test(`${value} is refused`, async (t) => {
      t.strictSame(problemsOf({ TRUST_PROXY: value }), ['TRUST_PROXY must be none, or IP addresses and CIDR ranges separated by commas, none of which is everybody (/0)'])
    })
  }
})

t.test('CORS_ORIGINS refuses', async (t) => {
  const refused = [
    '*', 'null', 'app.example.com', '//app.example.com', 'https://app.example.com/', 'https://app.example.com/path', 'https://*.example.com/',
    'https://APP.example.com', 'https://app.example.com:443', 'https://user@app.example.com', 'ftp://app.example.com', 'https://app.example.com,', 'https://a.example,*'
  ]
  for (const value of refused) {
    t.test(value, async (t) => {
      t.strictSame(problemsOf({ CORS_ORIGINS: value }), ['CORS_ORIGINS must be origins such as https://app.example.com, separated by commas'])
    })
  }
})
