/** What a schema has against a request, as Ajv says it. */
export interface Violation {
  keyword: string
  params: Readonly<Record<string, unknown>>
}

// Another one is repeated to nobody: it may be a value that stands in the wrong place.
const NAME = /^[A-Za-z_][\w.-]{0,63}$/

/**
 * What to change.
 *
 * @param message begins with the place, as `body/a/b`, and goes on with the rule; it never holds the value
 */
export function describeViolation ({ keyword, params: { additionalProperty: name, allowedValues } }: Violation, message: string): string {
  const [place = '', ...rule] = message.split(' ')
  const member = place.replaceAll('/', '.')
  if (keyword === 'additionalProperties' && NAME.test(String(name))) return `${member} must not have ${String(name)}`
  if (keyword === 'enum') return `${member} must be one of ${(allowedValues as unknown[]).join(', ')}`
  return [member, ...rule].join(' ')
}
