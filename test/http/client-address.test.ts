import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { auditEvents, build, captureLog, FORM_HEADERS, JOHN } from '../helper.ts'

const CLIENT = '203.0.113.9'
const PROXY = '10.1.2.3'

const rows = [
  { name: 'a stranger who claims to be a proxy is seen as himself', trust: undefined, peer: CLIENT, forwarded: '198.51.100.1', seen: CLIENT },
  { name: 'with no proxy trusted, one is seen as a client', trust: 'none', peer: PROXY, forwarded: CLIENT, seen: PROXY },
  { name: 'a stranger beside the trusted proxies is seen as himself', trust: '10.0.0.0/8', peer: CLIENT, forwarded: '198.51.100.1', seen: CLIENT },
  { name: 'behind a trusted proxy the client is seen', trust: '10.0.0.0/8', peer: PROXY, forwarded: CLIENT, seen: CLIENT },
  { name: 'behind two trusted proxies the client is seen', trust: '10.0.0.0/8,192.0.2.1', peer: PROXY, forwarded: `${CLIENT}, 192.0.2.1`, seen: CLIENT },
  { name: 'what a client claims before the trusted proxy wrote counts for nothing', trust: '10.0.0.0/8', peer: PROXY, forwarded: `127.0.0.1, 10.9.9.9, ${CLIENT}`, seen: CLIENT },
  { name: 'a trusted proxy that says nothing is seen itself', trust: '10.0.0.0/8', peer: PROXY, forwarded: undefined, seen: PROXY },
  { name: 'an address of version 6 is seen too', trust: '10.0.0.0/8', peer: PROXY, forwarded: '2001:db8::1', seen: '2001:db8::1' }
]

async function logInFrom (app: FastifyInstance, peer: string, forwarded: string | undefined, password: string): Promise<void> {
  await app.inject({
    method: 'POST',
    url: '/token',
    remoteAddress: peer,
    headers: { ...FORM_HEADERS, ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }), 'x-real-ip': '198.51.100.2', forwarded: 'for=198.51.100.3', 'x-client-ip': '198.51.100.4' },
    payload: new URLSearchParams({ ...JOHN, password }).toString()
  })
}

for (const { name, trust, peer, forwarded, seen } of rows) {
  t.test(`${name}: in the session, the audit and the log`, async (t) => {
    const log = captureLog()
    const app = await build(t, { ...(trust !== undefined && { TRUST_PROXY: trust }) }, log.logger)

    await logInFrom(app, peer, forwarded, 'secret')
    await logInFrom(app, peer, forwarded, 'wrong')

    t.match(await app.db.selectFrom('sessions').select('ip').execute(), [{ ip: seen }])
    t.strictSame((await auditEvents(app, 'login')).map(({ outcome, ip }) => [outcome, ip]), [['success', seen], ['failure', seen]])
    t.strictSame(log.lines.filter(({ msg }) => msg === 'request').map(({ ip }) => ip), [seen, seen])
  })
}
