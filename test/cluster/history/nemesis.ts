import type { PostgresProxy } from '../../postgres-proxy.ts'
import type { Replica } from '../pair.ts'
import type { Asked } from './scene.ts'

/** What is done to the service while clients go on. */
export interface Fault {
  begin: () => Promise<unknown> | void
  /** Whether it lasts for longer than a replica may believe what it remembers. */
  isLong?: true
  end?: () => Promise<unknown> | void
}

export function kill (replica: Replica, asked: Asked): Fault {
  return {
    async begin () {
      await replica.stop('SIGKILL')
      asked.isDown = true
    },
    async end () {
      await replica.start()
      asked.isDown = false
    }
  }
}

export function stop (replica: Replica): Fault {
  return { begin: () => { replica.kill('SIGSTOP') }, isLong: true, end: () => { replica.kill('SIGCONT') } }
}

export function cut (proxy: PostgresProxy): Fault {
  return { begin: proxy.cut }
}

export function freeze (proxy: PostgresProxy): Fault {
  return { begin: proxy.freeze, isLong: true, end: proxy.thaw }
}
