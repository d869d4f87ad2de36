import { stderr, stdin } from 'node:process'
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { StartupError } from '../lib/errors.ts'

/** Asks twice without echo on a terminal, and reads the first line of standard input elsewhere. */
export async function readPassword (): Promise<string> {
  const password = stdin.isTTY ? await askTwice() : (await text(stdin)).split(/\r?\n/, 1)[0]
  if (password === undefined || password === '') throw new StartupError('Give the password on standard input')
  return password
}

async function askTwice (): Promise<string> {
  // As a terminal, so that the terminal itself does not echo either, wherever standard error goes.
  const lines = createInterface({ input: stdin, output: nowhere(), terminal: true, historySize: 0 })
  try {
    const first = await ask(lines, 'Password: ')
    if (await ask(lines, 'Again: ') !== first) throw new StartupError('The two passwords differ')
    return first
  } finally {
    lines.close()
  }
}

async function ask (lines: Interface, prompt: string): Promise<string> {
  stderr.write(prompt)
  const answer = await new Promise<string | undefined>((resolve) => {
    lines.once('line', resolve).once('close', () => { resolve(undefined) }) // Ctrl-C and Ctrl-D close it
  })
  stderr.write('\n')
  if (answer === undefined) throw new StartupError('No password was given')
  return answer
}

function nowhere (): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => { done() } })
}
