import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { findFreePort } from '../../bench/free-port.ts'
import { canRun, temporaryDirectory, testEnv } from '../helper.ts'
import { countedAt, startRedis } from '../redis.ts'
import { logInAt, startServer } from '../server-process.ts'

const directory = temporaryDirectory(t)
const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
const { status } = spawnSync('openssl', [
  'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
  '-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate
])
const port = await findFreePort()
const redis = canRun(t, 'openssl', status === 0)
  ? await startRedis(t, '--tls-port', String(port), '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no')
  : undefined
if (redis !== undefined) {
  const encrypted = { ...countedAt(redis), REDIS_URL: `rediss://127.0.0.1:${port}` }

  t.test('With rediss:// Redis is used by TLS if its certificate is trusted', async (t) => {
    const server = await startServer(t, testEnv(t, { ...encrypted, NODE_EXTRA_CA_CERTS: certificate }))

    t.match(server.log(), /counted in Redis/)
    await logInAt(server)
  })

  t.test('A certificate that nobody vouches for is none', async (t) => {
    const server = await startServer(t, testEnv(t, encrypted))

    t.match(server.log(), /Redis can not be used.*self-signed certificate/s)
    await logInAt(server)
  })

  t.test('A server that speaks no TLS is told nothing', async (t) => {
    const server = await startServer(t, testEnv(t, { ...encrypted, REDIS_URL: redis.url.replace('redis://', 'rediss://:its-password@') }))

    t.match(server.log(), /Redis can not be used/)
    t.notMatch(server.log(), /its-password/)
    await logInAt(server)
  })
}
