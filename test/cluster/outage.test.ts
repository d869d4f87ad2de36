import t, { type Test } from 'tap'
import { startCluster, type Cluster } from '../postgres-cluster.ts'
import { until } from '../postgres.ts'
import { logInAt, post, readProfileAt } from '../server-process.ts'
import { startLoad } from './load.ts'
import { canRunPair, startPair, type Pair, type Replica } from './pair.ts'

/** What the settings allow, and what a busy machine adds. */
const LONGEST_ANSWER_MS = 4000

interface Fault {
  name: string
  begin: (cluster: Cluster) => Promise<void> | void
  end: (cluster: Cluster) => Promise<void> | void
}

const FAULTS: Fault[] = [
  { name: 'stops and starts', begin: async ({ stop }) => { await stop() }, end: async ({ start }) => { await start() } },
  { name: 'answers nothing for a while', begin: ({ signal }) => { signal('SIGSTOP') }, end: ({ signal }) => { signal('SIGCONT') } }
]

const isReady = async ({ url }: Replica): Promise<boolean> => (await fetch(`${url}/health/ready`)).status === 200

async function checkFault (t: Test, { one, two, loginUrl }: Pair, cluster: Cluster, { begin, end }: Fault): Promise<void> {
  const load = await startLoad({ url: loginUrl })
  await load.answers(100)

  await begin(cluster)
  for (const replica of [one, two]) t.ok(await until(async () => !await isReady(replica)), 'neither is ready')
  await end(cluster)
  for (const replica of [one, two]) t.ok(await until(async () => await isReady(replica)), 'both are ready again by themselves')
  await load.answers(100)

  const { failures, slowestMs } = await load.stop()
  t.ok(failures.length > 0)
  t.strictSame(failures.filter((failure) => !/^[\w-]+: 503 /.test(failure)), [])
  t.ok(slowestMs < LONGEST_ANSWER_MS, `nobody waits for long (${Math.round(slowestMs)} ms)`)
}

async function checkAnnouncements (t: Test, { one, two }: Pair): Promise<void> {
  const { access_token: token, refresh_token: refreshToken } = await logInAt(two)
  t.equal((await readProfileAt(two, token)).status, 200)

  await post(`${one.url}/revoke`, { token: refreshToken })

  t.ok(await until(async () => (await readProfileAt(two, token)).status === 401), 'changes are heard again')
}

const cluster = await startCluster(t)
if (cluster !== undefined && await canRunPair(t)) {
  const pair = await startPair(t, { databaseUrl: cluster.url })

  for (const fault of FAULTS) {
    t.test(`PostgreSQL ${fault.name} while two replicas serve`, async (t) => {
      await checkFault(t, pair, cluster, fault)
      await checkAnnouncements(t, pair)
    })
  }
}
