import { randomUUID } from 'node:crypto'
import pg from 'pg'

const DATABASE_URL = process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'

/** An empty schema of the run's own in the PostgreSQL at BENCH_DATABASE_URL. */
export async function createSchema (): Promise<{ url: string, drop: () => Promise<void> }> {
  const name = `bench_${randomUUID().replaceAll('-', '')}`
  await run(`create schema ${name}`)
  const url = new URL(DATABASE_URL)
  url.searchParams.set('options', `-c search_path=${name}`)
  return { url: url.href, drop: async () => { await run(`drop schema if exists ${name} cascade`) } }
}

async function run (statement: string): Promise<void> {
  const client = new pg.Client(DATABASE_URL)
  await client.connect()
  await client.query(statement)
  await client.end()
}
