import { stderr, stdin } from 'node:process'
import { text } from 'node:stream/consumers'
import { read } from 'read'
import { StartupError } from '../lib/errors.ts'

/** Asks twice without echo on a terminal, and reads the first line of standard input elsewhere. */
export async function readPassword (): Promise<string> {
  const password = stdin.isTTY ? await askTwice() : (await text(stdin)).split(/\r?\n/, 1)[0]
  if (password === undefined || password === '') throw new StartupError('Give the password on standard input')
  return password
}

async function askTwice (): Promise<string> {
  const first = await ask('Password: ')
  if (await ask('Again: ') !== first) throw new StartupError('The two passwords differ')
  return first
}

async function ask (prompt: string): Promise<string> {
  const answer = await read({ prompt, silent: true, output: stderr })
  stderr.write('\n')
  return answer
}
