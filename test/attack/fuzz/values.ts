import fc from 'fast-check'
import { BY_NAME } from './words.ts'

/** As much of JSON Schema as our schemas use. */
export interface Schema {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  maxItems?: number
  examples?: unknown[]
}

const LONGEST = 400
const HUGE = 20_000
const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'then']

/** Text that breaks parsers, collations, logs and pages. */
export const hostileText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    ...PROTOTYPE_NAMES, '', ' ', '\0', '\r\n', '\u202e', '\ufeff', '\ud800', '\u0130', '\ufb03', '%', '%00', '%zz', '..', '../..', "' or 1=1 --", '"', '\\', '$' + '{7*7}', '{{7*7}}',
    '<script>alert(1)</script>', '0x10', '1e400', '-0', 'null', 'undefined', 'NaN', '[object Object]', '\u001b[31m', 'a@b@c', 'a\uFF20b.co', '9007199254740993'
  ),
  fc.constantFrom('a', '\u{1F600}', '\u0301', '\\').map((text) => text.repeat(LONGEST)),
  fc.constant('x'.repeat(HUGE))
)

const hostileValue = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, false, 0, -0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]], [null], { a: 1 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(hostileText, { maxLength: 60 }),
  fc.jsonValue()
)

const hostileName = fc.oneof(fc.constantFrom(...PROTOTYPE_NAMES, 'role', 'scope', 'is_admin', 'id', '$set', 'password_hash'), hostileText)

/** Values for the schema: most fit it, some just miss a bound, the others are anything. */
export function valueOf (schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 6, arbitrary: fittingValue(schema) }, { weight: 1, arbitrary: edgeValue(schema) }, { weight: 1, arbitrary: hostileValue })
}

/** Objects for the schema, with members that are left out, added, or something else. */
export function objectOf ({ properties = {}, required = [] }: Schema): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, memberOf(name, schema)]))
  const known = fc.oneof({ weight: 6, arbitrary: fc.record(members, { requiredKeys: required }) }, { weight: 1, arbitrary: fc.record(members) }, { weight: 1, arbitrary: fc.record(members, { requiredKeys: [] }) })
  const extra = fc.dictionary(hostileName, hostileValue, { maxKeys: 3, noNullPrototype: false })
  return fc.oneof({ weight: 8, arbitrary: known }, { weight: 1, arbitrary: fc.tuple(known, extra).map(([object, more]) => ({ ...more, ...object })) })
}

function memberOf (name: string, schema: Schema): fc.Arbitrary<unknown> {
  const known = BY_NAME.get(name)
  return known === undefined ? valueOf(schema) : fc.oneof({ weight: 4, arbitrary: known }, { weight: 1, arbitrary: valueOf(schema) })
}

function fittingValue (schema: Schema): fc.Arbitrary<unknown> {
  const { type, anyOf, examples = [] } = schema
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(fittingValue))
  const byType = type === undefined ? hostileValue : fc.oneof(...[type].flat().map((name) => fittingType(name, schema)))
  return examples.length === 0 ? byType : fc.oneof(byType, fc.constantFrom(...examples))
}

function fittingType (type: string, schema: Schema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string': return fittingText(schema)
    case 'integer': return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000 })
    case 'number': return fc.double({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000, noNaN: true })
    case 'boolean': return fc.boolean()
    case 'array': return fc.array(fittingValue(schema.items ?? {}), { maxLength: Math.min(schema.maxItems ?? 5, 5) })
    case 'object': return objectOf(schema)
    default: return fc.constant(null)
  }
}

function fittingText ({ pattern, format, minLength = 0, maxLength = LONGEST }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid()
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, LONGEST) })
  return fc.string({ minLength, maxLength: Math.min(maxLength, LONGEST) })
}

function edgeValue ({ minLength, maxLength, minimum, maximum, maxItems }: Schema): fc.Arbitrary<unknown> {
  const lengths = [minLength, maxLength].flatMap((bound) => bound === undefined ? [] : [bound - 1, bound, bound + 1].filter((length) => length >= 0))
  const numbers = [minimum, maximum].flatMap((bound) => bound === undefined ? [] : [bound - 1, bound, bound + 1, bound + 0.5])
  const lists = maxItems === undefined ? [] : [maxItems, maxItems + 1]
  return fc.constantFrom<unknown>('', ...lengths.map((length) => 'a'.repeat(length)), ...numbers, ...lists.map((length) => Array.from({ length }, (_, index) => `a${index}`)))
}
