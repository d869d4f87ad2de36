/** As much of an OpenAPI document as is touched here. */
export interface ApiDocument {
  paths?: Record<string, Record<string, unknown>>
  components?: { schemas?: Record<string, unknown>, [kind: string]: unknown }
}

interface NamedSchema {
  title: string
  type: string
  description?: string
}

/**
 * Finishes a document that was made from the routes, for readers and for generated clients: the `first`
 * paths lead, and every schema that has a title is there once, as the component of that name.
 */
export function finishDocument (document: ApiDocument, first: readonly string[]): ApiDocument {
  const schemas: Record<string, unknown> = {}
  const paths = Object.entries(document.paths ?? {})
    .toSorted(([a], [b]) => rank(a, first) - rank(b, first))
    .map(([url, path]) => [url, nameSchemas(path, schemas)])
  return { ...document, paths: Object.fromEntries(paths), components: { ...document.components, schemas } }
}

function rank (url: string, first: readonly string[]): number {
  const index = first.indexOf(url)
  return index === -1 ? first.length : index
}

function nameSchemas (node: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(node)) return node.map((item) => nameSchemas(item, schemas))
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, nameSchemas(value, schemas)]))
  return isNamed(copy) ? refer(copy, schemas) : copy
}

function isNamed (node: object): node is NamedSchema {
  return 'title' in node && typeof node.title === 'string' && 'type' in node && typeof node.type === 'string'
}

// What describes the schema where it is used, such as in one answer of several, stays out of the component.
function refer ({ description: _description, ...schema }: NamedSchema, schemas: Record<string, unknown>): { $ref: string } {
  const known = schemas[schema.title]
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`Two schemas are called ${schema.title}`)
  schemas[schema.title] = schema
  return { $ref: `#/components/schemas/${schema.title}` }
}
