import pg from 'pg'
import { doJob } from './child.ts'

export interface UpdatesJob {
  url: string
  connections: number
  seconds: number
}

/** What the server gives to as many writers as there are connections: each updates a row of its own again and again. */
doJob(async ({ url, connections, seconds }: UpdatesJob): Promise<number> => {
  const clients = Array.from({ length: connections }, () => new pg.Client(url))
  await Promise.all(clients.map(async (client) => await client.connect()))
  const [first] = clients
  await first?.query('drop table if exists bench_counters')
  await first?.query('create table bench_counters (id integer primary key, value integer not null)')
  await first?.query('insert into bench_counters select id, 0 from generate_series(1, $1::int) as id', [connections])

  const startedAt = performance.now()
  const end = startedAt + seconds * 1000
  let updates = 0
  await Promise.all(clients.map(async (client, index) => {
    for (; performance.now() < end; updates++) await client.query('update bench_counters set value = value + 1 where id = $1', [index + 1])
  }))
  const perSecond = updates / (performance.now() - startedAt) * 1000
  await Promise.all(clients.map(async (client) => await client.end()))
  return perSecond
})
