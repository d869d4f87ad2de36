import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../postgres.ts'
import { actAtRandom, useSession } from './acts.ts'
import type { Fault } from './nemesis.ts'
import type { Operation } from './operation.ts'
import { newPerson } from './people.ts'
import { createRandom, type Random } from './random.ts'
import type { Scene } from './scene.ts'

const CLIENTS = 10
const MOST_THINK_MS = 60
/** Operations before, between and after the faults, and at least so many during a long one. */
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

/** Ten clients do what they like while one fault comes after the other; in the end every session is tried once more. */
export async function makeHistory (scene: Scene, { seed, faults, heardWithinMs }: Plan): Promise<Operation[]> {
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

  async function suffer ({ begin, isLong, end }: Fault): Promise<void> {
    await begin()
    const believedUntil = performance.now() + heardWithinMs
    const goesOn = (): boolean => isLong === true && performance.now() < believedUntil
    try {
      while (goesOn()) await doMore()
    } finally {
      await end?.() // a process that is stopped could not even be ended
    }
  }

  async function bringFaults (): Promise<void> {
    try {
      for (const fault of createRandom(seed).shuffle(faults)) {
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
  await useAll(scene, createRandom(seed))
  return scene.history
}

async function useAll ({ replicas, ...scene }: Scene, random: Random): Promise<void> {
  await Promise.all(replicas.map(async (replica) => {
    for (const person of scene.people) {
      for (const session of person.sessions) await useSession({ ...scene, replicas: [replica] }, person, session, random)
    }
  }))
}
