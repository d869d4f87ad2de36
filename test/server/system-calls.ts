import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { childEnv, CLI, REPOSITORY } from '../command.ts'
import { canRun, temporaryDirectory, type Env } from '../helper.ts'
import { startServer, type ServerProcess } from '../server-process.ts'

/** A call that went well. */
export interface SystemCall {
  name: string
  /** The path of the open file that it is about, or `socket:[1]` and the like; none for a file that was deleted. */
  target: string | undefined
  /** What it writes, or the paths that it names. */
  texts: Buffer[]
  /** Its last argument: where to write, or how long to be. */
  number: number
}

export interface TracedServer extends ServerProcess {
  /** Stops the server and gives the calls of its main thread, on which everything is written, synced and answered. */
  trace: () => Promise<SystemCall[]>
}

const NAMES = ['write', 'writev', 'pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'mkdir', 'mkdirat', 'link', 'linkat', 'unlink', 'unlinkat', 'rename', 'renameat', 'renameat2']

function options (file: string): string[] {
  const trace = NAMES.map((name) => `?${name}`).join(',') // not every processor has all of them
  // Each thread has a file of its own, calls with other names cost nothing, and all text is in hexadecimal.
  return ['-ff', '--seccomp-bpf', '-y', '-xx', '-s', '1048576', '-e', `trace=${trace}`, '-o', file]
}

export function canTrace (t: Test): boolean {
  const { status } = spawnSync('strace', [...options(join(temporaryDirectory(t), 'trace')), 'true'])
  return canRun(t, 'strace that may trace', status === 0)
}

export async function startTracedServer (t: Test, env: Env): Promise<TracedServer> {
  const file = join(temporaryDirectory(t), 'trace')
  // The server stays our child, so that signals reach it; what it writes to has no end before the trace has one.
  const server = await startServer(t, env, { under: ['strace', '-D', ...options(file)] })
  return {
    ...server,
    async trace () {
      await server.stop('SIGTERM')
      return parse(readFileSync(`${file}.${server.pid}`, 'latin1'))
    }
  }
}

/** Runs `latchkey` and gives the calls of its main thread. */
export function traceCommand (t: Test, env: Env, args: string[]): SystemCall[] {
  const file = join(temporaryDirectory(t), 'trace')
  const { pid, status, stderr } = spawnSync('strace', ['-D', ...options(file), process.execPath, CLI, ...args], { cwd: REPOSITORY, env: childEnv(env) })
  if (status !== 0) throw new Error(`The command failed: ${stderr.toString()}`)
  return parse(readFileSync(`${file}.${pid}`, 'latin1'))
}

/** Whether an answer of the server leaves with that call. */
export function isAnswer ({ target, texts: [text] }: SystemCall): boolean {
  return target?.startsWith('socket:') === true && text?.toString('latin1', 0, 9) === 'HTTP/1.1 '
}

function parse (trace: string): SystemCall[] {
  const lines = trace.trimEnd().split('\n')
  if (lines.at(-1)?.startsWith('+++') !== true) throw new Error('The trace has no end')
  return lines.flatMap((line) => parseLine(line) ?? [])
}

function parseLine (line: string): SystemCall | undefined {
  const [, name, args] = /^(\w+)\((.*)\) += \d/.exec(line) ?? []
  if (name === undefined || args === undefined) return undefined
  const [, target] = /^\d+<([^>]*)>(?!\(deleted\))/.exec(args) ?? []
  return {
    name,
    target: target && decode(target).toString(),
    texts: [...args.matchAll(/"([^"]*)"/g)].map(([, text = '']) => decode(text)),
    number: Number(args.slice(args.lastIndexOf(' ')))
  }
}

function decode (text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex')
}
