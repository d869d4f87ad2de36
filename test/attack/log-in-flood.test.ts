import t from 'tap'
import { exchange, request, type Answer } from '../raw-http.ts'
import { FORM, startTarget, tokenRequest } from './target.ts'

// A hash takes far longer than all else that is done for a log-in, and there is time for a few.
const SLOW_HASHES = { HASH_CONCURRENCY: '1', ARGON2_MEMORY_KIB: '65536', ARGON2_TIME_COST: '4', HASH_QUEUE_MS: '1000' }
const FLOOD = 40
const SERVED_DURING_A_HASH = 10
const MOST_WORK_OF_EVENT_LOOP = 0.1

t.test('while passwords are hashed', async (t) => {
  const target = await startTarget(t, SLOW_HASHES)
  const { access_token: token } = await target.logIn()
  const others = [request('GET /health/live'), request('GET /users/me', `authorization: Bearer ${token}\r\n`)]
  const send = async (text: string): Promise<Answer> => {
    const [answer] = await exchange(t, target.port, text)
    if (answer === undefined) throw new Error('There is no answer')
    return answer
  }

  t.test('some log in, the others are told when to come back, and whoever does neither is served during one hash', async (t) => {
    const logIns: Answer[] = []
    let servedDuringHash = 0

    const flood = Promise.all(Array.from({ length: FLOOD }, async () => {
      const answer = await send(tokenRequest(FORM))
      logIns.push(answer)
      if (answer.status === 200) servedDuringHash = 0
    }))
    while (logIns.length < FLOOD && servedDuringHash < SERVED_DURING_A_HASH) {
      for (const text of others) {
        const isFloodThere = logIns.length > 0
        t.match(await send(text), { status: 200 })
        if (isFloodThere) servedDuringHash++
      }
    }
    const answeredMeanwhile = logIns.length
    await flood

    t.ok(answeredMeanwhile < FLOOD, 'the last one is hashed when enough are served')
    t.strictSame(new Set(logIns.map(({ status }) => status)), new Set([200, 503]))
    for (const answer of logIns.filter(({ status }) => status === 503)) {
      t.match(answer, { headers: { 'retry-after': /^[1-9]\d*$/ }, body: /temporarily_unavailable/ })
    }
  })

  t.test('the event loop does little of the work', async (t) => {
    const before = await target.worked()

    for (let times = 1; times <= 8; times++) t.match(await send(tokenRequest(FORM)), { status: 200 })

    const after = await target.worked()
    const share = (after.eventLoop - before.eventLoop) / (after.process - before.process)
    t.ok(share < MOST_WORK_OF_EVENT_LOOP, `it does ${share.toFixed(3)} of it`)
  })
})
