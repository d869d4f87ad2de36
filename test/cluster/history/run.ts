import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../postgres.ts'
import { actAtRandom, useSession } from './acts.ts'
import type { Fault } from './nemesis.ts'
import type { Operation } from './operation.ts'
import { newPerson } from './people.ts'
import { createRandom, type Random } from './random.ts'
import type { Asked, Scene } from './scene.ts'

const CLIENTS = 10
const MOST_THINK_MS = 60
/** Operations before, during, between and after the faults. */
const SOME = 40

interface Plan {
  seed: number
  faults: Fault[]
  /** How long a replica may believe what it remembers. */
  heardWithinMs: number
}

export function setScene (scene: Omit<Scene, 'people' | 'history'>, usernames: string[], password: string): Scene {
  return { ...scene, people: usernames.map((username) => newPerson(username, password)), history: [] }
}

/** Ten clients do what they like while one fault comes after the other; in the end sessions are tried once more. */
export async function makeHistory (scene: Scene, { seed, faults, heardWithinMs }: Plan): Promise<Operation[]> {
  const random = createRandom(seed)
  const over = new AbortController()
  let done = 0

  async function act (random: Random): Promise<void> {
    try {
      while (!over.signal.aborted) {
        if (await actAtRandom(scene, random)) done++
        await pause(random.index(MOST_THINK_MS))
      }
    } finally {
      over.abort()
    }
  }

  async function doMore (): Promise<void> {
    const wanted = done + SOME
    const isReached = (): boolean => done >= wanted
    while (!isReached()) {
      const before = done
      if (!await until(() => done > before || over.signal.aborted)) throw new Error('Nothing is answered any more')
      over.signal.throwIfAborted()
    }
  }

  async function suffer ({ begin, lastsAt, end }: Fault): Promise<void> {
    if (lastsAt !== undefined) await useLatest(scene, lastsAt, random) // so that there is something to remember
    await begin()
    const believedUntil = performance.now() + heardWithinMs
    const isBelieved = (): boolean => performance.now() < believedUntil
    let answers: Promise<void> | undefined
    try {
      if (lastsAt !== undefined) {
        while (isBelieved()) await doMore()
        // Of what it has not heard meanwhile, it must not believe the contrary, neither now nor when it is over.
        answers = useLatest(scene, lastsAt, random)
        await doMore()
      }
    } finally {
      await end?.() // a process that is stopped could not even be ended
      await answers
    }
  }

  async function bringFaults (): Promise<void> {
    try {
      for (const fault of random.shuffle(faults)) {
        await doMore()
        await suffer(fault)
      }
      await doMore()
    } finally {
      over.abort()
    }
  }

  const clients = Array.from({ length: CLIENTS }, async (_, index) => { await act(createRandom(seed + 1 + index)) })
  const ends = await Promise.allSettled([...clients, bringFaults()])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  await Promise.all(scene.replicas.map(async (replica) => { await useLatest(scene, replica, random) }))
  return scene.history
}

const LATEST = 20

/** Tries sessions of everybody, all at once. */
async function useLatest (scene: Scene, replica: Asked, random: Random): Promise<void> {
  const sessions = scene.people.flatMap((person) => person.sessions.slice(-LATEST).map((session) => ({ person, session })))
  await Promise.all(sessions.map(async ({ person, session }) => { await useSession({ ...scene, replicas: [replica] }, person, session, random) }))
}
