import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { databasePath, readRows, runCommand, type CommandResult } from './command.ts'
import { temporaryDirectory, type Env } from './helper.ts'

export const BCRYPT = '$2b$10$hK.B7ed9dMyyqET7.tUkLOEZurBNBBl8y00npvB8BXL71xZxbjXdy'
export const ADA = { username: 'ada', email: 'ada@example.com', full_name: 'Ada Lovelace', password_hash: BCRYPT, roles: ['admin'], disabled: false }

export const jsonLines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

function writeFile (t: Test, content: string | Buffer): string {
  const path = join(temporaryDirectory(t), 'users.jsonl')
  writeFileSync(path, content)
  return path
}

export async function runImport (t: Test, env: Env, content: string | Buffer, ...options: string[]): Promise<CommandResult> {
  return await runCommand(env, ['user', 'import', writeFile(t, content), ...options])
}

export const usernamesIn = (env: Env): unknown[] => readRows(databasePath(env), 'select username from users order by username').map(({ username }) => username)
