import t from 'tap'
import { JOHN } from '../helper.ts'
import { logInAt } from '../server-process.ts'
import { canRunPair, startPair } from './pair.ts'

// nginx waits for eight seconds; without a bound of ours it would for sixty.
const PATIENCE_MS = 20_000

if (await canRunPair(t)) {
  t.test('While a replica is frozen nginx asks the other one instead, for the log-in and for /verify', async (t) => {
    const { one, loginUrl, apiUrl } = await startPair(t)
    const { access_token: token } = await logInAt({ url: loginUrl })
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const read = async (url: string): Promise<number> => (await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal })).status
    const logIn = async (): Promise<number> => (await fetch(`${loginUrl}/token`, { method: 'POST', body: new URLSearchParams(JOHN), signal })).status
    one.kill('SIGSTOP')
    t.teardown(() => { one.kill('SIGCONT') })

    const twice = [1, 2].flatMap(() => [read(`${loginUrl}/users/me`), logIn(), read(`${apiUrl}/orders`)])

    t.strictSame(await Promise.all(twice), twice.map(() => 200))
  })
}
