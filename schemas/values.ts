import { Type, type StringOptions } from '@sinclair/typebox'

/** Kinds of values that several resources have. */

export const EXAMPLE_ID = '019c1a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b'
export const EXAMPLE_TIME = '2026-01-31T09:30:00.000Z'

/** An id that is searched for, in the one way that it is written. */
export const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

export const TIME = { format: 'date-time', examples: [EXAMPLE_TIME] }

// A composed character comes from at most four, and Ajv counts them as they were sent. Who uses the value decides about the rest.
export const PASSWORD = { format: 'password', maxLength: 4 * 256 }
export const USERNAME = { maxLength: 4 * 64, description: '1 to 64 letters of one script, digits and `._-`', examples: ['ada'] }
export const FULL_NAME = { maxLength: 4 * 200, description: 'The name to show, 1 to 200 characters', examples: ['Ada Lovelace'] }

/** A text or null. As a union it would be checked against each member whenever one is shown. */
export const Nullable = (options: StringOptions) => Type.Unsafe<string | null>({ ...options, type: ['string', 'null'] })

/** A text that is shown, or null where there is none. */
export const NullableText = (description: string, example: string) => Nullable({ description, examples: [example] })
