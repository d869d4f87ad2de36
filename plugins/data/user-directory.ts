import type { NotNull } from 'kysely'
import fp from 'fastify-plugin'
import { rolesOf, toUser, USER_COLUMNS } from '../../lib/database/user-rows.ts'
import { notFound } from '../../lib/errors.ts'
import { rangesOfPrefix, type KeyRange } from '../../lib/identifier-ranges.ts'
import type { User } from '../../lib/user.ts'
import type { ChangeGuard } from './accounts.ts'
import type { Db } from './database.ts'

/** Where a page begins: among the users who were found by their username, or by their address, and at which of these. */
export interface DirectoryPosition {
  foundBy: 'username' | 'email'
  key: string
}

export interface DirectoryPage {
  /** At most `limit`, and sometimes fewer than that although more follow. */
  users: User[]
  next: DirectoryPosition | null
}

/** Pages take as long at a million users as at a thousand: each reads a bounded part of an index. */
export interface UserDirectory {
  find (id: string): Promise<User | undefined>
  /** @throws PublicError `not_found` (404) */
  require (id: string): ChangeGuard
  /**
   * First, by username, those whose username begins like `search`; then, by address, those of whom only the address
   * does. Without `search` everybody, by username.
   */
  list (options: { search: string, limit: number, start?: DirectoryPosition }): Promise<DirectoryPage>
}

declare module 'fastify' {
  interface FastifyInstance {
    userDirectory: UserDirectory
  }
}

// Who was found by the username is left out, and there may be many of them before the next who was not.
const MAX_ADDRESSES_READ = 500

export function createUserDirectory (db: Db): UserDirectory {
  const selectUsers = db.selectFrom('users').select([...USER_COLUMNS, 'users.id', 'users.email_key']).select(rolesOf)

  async function findByUsername ({ from, to }: KeyRange, limit: number) {
    return await selectUsers.where('username', '>=', from).where('username', '<', to).orderBy('username').limit(limit).execute()
  }

  async function findByEmailOnly ({ from, to }: KeyRange, usernames: KeyRange, limit: number) {
    const unread = await db.selectFrom('users').select('email_key').where('email_key', '>=', from).where('email_key', '<', to)
      .orderBy('email_key').offset(MAX_ADDRESSES_READ).limit(1).$narrowType<{ email_key: NotNull }>().executeTakeFirst()
    const rows = await selectUsers.where('email_key', '>=', from).where('email_key', '<', unread?.email_key ?? to)
      .where(({ not, and, eb }) => not(and([eb('username', '>=', usernames.from), eb('username', '<', usernames.to)])))
      .orderBy('email_key').limit(limit).$narrowType<{ email_key: NotNull }>().execute()
    return { rows, unread }
  }

  return {
    async find (id) {
      const row = await selectUsers.where('users.id', '=', id).executeTakeFirst()
      return row && toUser(row.id, row)
    },

    require: (id) => async (tx) => {
      if (await tx.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst() === undefined) throw notFound()
    },

    async list ({ search, limit, start = { foundBy: 'username', key: '' } }) {
      const { usernames, emails } = rangesOfPrefix(search)
      const users: User[] = []
      if (start.foundBy === 'username') {
        const rows = await findByUsername(beginningAt(start.key, usernames), limit + 1)
        users.push(...rows.slice(0, limit).map((row) => toUser(row.id, row)))
        const next = rows[limit]
        if (next !== undefined) return { users, next: { foundBy: 'username', key: next.username } }
        if (search === '') return { users, next: null }
      }

      const room = limit - users.length
      const { rows, unread } = await findByEmailOnly(beginningAt(start.foundBy === 'email' ? start.key : '', emails), usernames, room + 1)
      users.push(...rows.slice(0, room).map((row) => toUser(row.id, row)))
      const next = rows[room] ?? unread
      return { users, next: next === undefined ? null : { foundBy: 'email', key: next.email_key } }
    }
  }
}

function beginningAt (key: string, { from, to }: KeyRange): KeyRange {
  return { from: key > from ? key : from, to }
}

export default fp(async (fastify) => {
  fastify.decorate('userDirectory', createUserDirectory(fastify.db))
}, { name: 'user-directory', fastify: '5.x', dependencies: ['database'] })
