import { Type } from '@sinclair/typebox'
import { MAX_DESCRIPTION, MAX_ROLE_SCOPES, ROLE_NAME_PATTERN, SCOPE_TOKEN_PATTERN } from '../lib/roles.ts'

const NAME = { description: 'The name that users are given it by', examples: ['support'] }
const SCOPES = { description: 'What it allows, each scope once', examples: [['users:read', 'audit:read']] }
const DESCRIPTION = { description: 'What it is for', examples: ['Helps people who can\'t log in'] }

export const RoleSchema = Type.Object({
  name: Type.String(NAME),
  scopes: Type.Array(Type.String(), SCOPES),
  description: Type.String(DESCRIPTION),
  built_in: Type.Boolean({ description: 'Whether it is one of `user` and `admin`, which stay as they are', examples: [false] })
}, { title: 'Role' })

export const RoleListSchema = Type.Object({
  items: Type.Array(RoleSchema, { description: 'All roles, by name' })
}, { title: 'RoleList' })

export const NewRoleParamsSchema = Type.Object({
  name: Type.String({ ...NAME, pattern: ROLE_NAME_PATTERN, description: '1 to 63 small letters, digits and hyphens, a letter first' })
})

export const RoleParamsSchema = Type.Object({
  // What can't be a name is answered as one that no role has.
  name: Type.String({ ...NAME, description: 'The name of the role' })
})

export const RoleDefinitionSchema = Type.Object({
  scopes: Type.Array(Type.String({ pattern: SCOPE_TOKEN_PATTERN }), {
    ...SCOPES,
    maxItems: MAX_ROLE_SCOPES,
    description: 'What it is to allow: scopes of this service, or of others, such as `orders:read`. Only those who have the role `admin` can use one that no role has yet'
  }),
  description: Type.Optional(Type.String({ ...DESCRIPTION, maxLength: MAX_DESCRIPTION, description: 'What it is for; empty if left out' }))
}, { title: 'RoleDefinition', additionalProperties: false })
