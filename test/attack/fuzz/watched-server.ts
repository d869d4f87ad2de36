import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { childEnv } from '../../command.ts'
import type { Env } from '../../helper.ts'
import { SERVER } from '../../server-process.ts'

export interface WatchedServer {
  port: number
  /** What the process tells of itself, after it has collected its garbage. */
  probe: () => Promise<{ heapMb: number, residentMb: number, polluted: boolean }>
  /** @throws Error if the process has ended, or said something that it must not */
  check: () => void
  stop: () => Promise<void>
}

const PROBE = new URL('../probe.ts', import.meta.url).pathname
const FATAL_LINE = /^.*(?:ERROR|FATAL).*$/m

/** Starts the service as a process of its own, and reads what it says without keeping it. */
export async function startWatched (env: Env, secrets: readonly string[]): Promise<WatchedServer> {
  const child = spawn(process.execPath, [SERVER], { env: { ...childEnv(env), NODE_OPTIONS: `--import=${PROBE}` }, stdio: ['ignore', 'pipe', 'inherit'] })
  let fault: string | undefined
  let rest = ''
  let onProbe = (_text: string): void => {}
  const { promise: listening, resolve: isListening } = Promise.withResolvers<number>()

  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const address = /listening at http:\/\/[^:]+:(\d+)/.exec(line)?.[1]
      if (address !== undefined) isListening(Number(address))
      if (line.startsWith('probe: ')) onProbe(line.slice('probe: '.length))
    }
    const text = lines.join('\n')
    if (secrets.some((secret) => text.includes(secret))) fault ??= `A secret is in the log: ${text}`
    if (FATAL_LINE.test(text)) fault ??= `Something went wrong inside: ${text}`
  })
  child.on('exit', (code, signal) => { fault ??= `The process ended with ${code ?? signal}` })
  const port = await listening

  return {
    port,

    async probe () {
      const { promise: told, resolve } = Promise.withResolvers<string>()
      onProbe = resolve
      child.kill('SIGIO')
      const { polluted, keys, heap, resident } = JSON.parse(await told) as { polluted: unknown, keys: string[], heap: number, resident: number }
      return { heapMb: heap / 1e6, residentMb: resident / 1e6, polluted: polluted !== null || keys.length > 0 }
    },

    check () {
      if (fault !== undefined) throw new Error(fault)
    },

    async stop () {
      if (child.exitCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    }
  }
}
