import t from 'tap'
import { build, captureLog, logIn, readProfile, requestToken } from '../helper.ts'

const INTERNAL = /^Something went wrong here; the log tells more about request [0-9a-f-]+$/
const fail = (): never => { throw new Error('CANARY') }

const faults = [
  { name: 'an error that throws when it is looked at', value: new Proxy(new Error('x'), { get: fail }) },
  { name: 'an error whose status throws', value: Object.defineProperty(new Error('x'), 'statusCode', { get: fail }) },
  { name: 'an error whose code can not become text', value: Object.assign(new Error('x'), { code: { toString: fail } }) },
  { name: 'an error whose cause throws when it is logged', value: new Error('x', { cause: new Proxy(new Error('y'), { get: fail }) }) }
]

for (const { name, value } of faults) {
  t.test(`${name} becomes a fixed text, and the process lives`, async (t) => {
    const log = captureLog('warn')
    const app = await build(t, {}, log.logger)
    const { access_token: token } = await logIn(app)
    app.sessions.findLive = async () => { throw value }
    app.users.findForLogin = async () => { throw value }

    const problem = await readProfile(app, token)
    const oauth = await requestToken(app)

    t.match(problem, { statusCode: 500, headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } })
    t.strictSame(Object.keys(problem.json()), ['statusCode', 'code', 'error', 'message'])
    t.match(problem.json(), { statusCode: 500, code: 'internal_error', error: 'Internal Server Error', message: INTERNAL })
    t.strictSame(Object.keys(oauth.json()), ['error', 'error_description'])
    t.match(oauth.json(), { error: 'server_error', error_description: INTERNAL })
    t.match(log.lines, [{ level: 50, msg: INTERNAL }, { level: 50, msg: INTERNAL }])
    t.equal((await app.inject('/health/ready')).statusCode, 200)
  })
}
