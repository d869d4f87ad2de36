import { hash } from 'node:crypto'
import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely'
import type { Tables } from './tables.ts'

/** The value of each parameter by its name. */
export type Values = Readonly<Record<string, string | number | null>>

class Parameter {
  readonly name: string

  constructor (name: string) {
    this.name = name
  }
}

/** Stands for a value in a query that is compiled once, since building one anew costs more than running it. */
export function parameter (name: string): never {
  return new Parameter(name) as never // the query builder takes it for a value of any column
}

/** A row whose values are parameters with the names of their columns, after a prefix. */
export function parameters<Row> (columns: ReadonlyArray<keyof Row & string>, prefix = ''): Row {
  return Object.fromEntries(columns.map((column) => [column, parameter(prefix + column)])) as Row
}

/** The parameters of the query in the order in which its text has them. */
export function bind (query: CompiledQuery, values: Values): unknown[] {
  return query.parameters.map((value) => value instanceof Parameter ? values[value.name] : value)
}

/** A query whose text is always the same, so that a database may keep by its name what it has made of it. */
export interface PreparedQuery<Row = unknown> extends CompiledQuery<Row> {
  name: string
}

/** Compiles a query that is run with new values. */
export function prepare<Row> (query: Compilable<Row>): (values: Values) => PreparedQuery<Row> {
  const compiled = query.compile()
  const name = hash('sha256', compiled.sql, 'base64url')
  return (values) => ({ ...compiled, name, parameters: bind(compiled, values) })
}

/** Compiles a statement that is run with new values, in a transaction or by itself. */
export function prepareStatement<Row> (query: Compilable<Row>): (db: Kysely<Tables>, values: Values) => Promise<QueryResult<Row>> {
  const prepared = prepare(query)
  return async (db, values) => await db.executeQuery<Row>(prepared(values))
}
