import type { PostgresProxy } from '../../postgres-proxy.ts'
import type { Replica } from '../pair.ts'
import type { Asked } from './scene.ts'

/** What is done to the service while clients go on. */
export interface Fault {
  begin: () => Promise<unknown> | void
  /** The replica to which it lasts for longer than that may believe what it remembers. */
  lastsAt?: Asked
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

export function suspend (replica: Replica, lastsAt: Asked): Fault {
  return { begin: () => { replica.kill('SIGSTOP') }, lastsAt, end: () => { replica.kill('SIGCONT') } }
}

export function cut (proxy: PostgresProxy): Fault {
  return { begin: proxy.cut }
}

/** Nothing comes through to the replica, and nothing tells it so. */
export function freeze (proxy: PostgresProxy, lastsAt: Asked): Fault {
  return { begin: proxy.freeze, lastsAt, end: proxy.thaw }
}
