// What all screens share: who looks, what is trusted, what was said.
import { useEffect, useRef, useState } from 'preact/hooks'
import * as api from './api'
import { ApexError, type Request } from './api'
import type { Contract, Facts, Job, Manifest, Session, Trouble, Trust } from './types'

export class Store<T> {
  private watching = new Set<() => void>()
  constructor(public value: T) {}
  set(value: T): void {
    if (Object.is(value, this.value)) return
    this.value = value
    for (const f of this.watching) f()
  }
  use(): T {
    const [, poke] = useState(0)
    useEffect(() => {
      const f = (): void => poke((n) => n + 1)
      this.watching.add(f)
      f()
      return () => void this.watching.delete(f)
    }, [])
    return this.value
  }
}

// Messages stay until they are dismissed; the newest is read out by the live region.
export interface Message {
  id: string
  kind: 'error' | 'done' | 'info'
  text: string
  trouble?: Trouble
  line?: string
  at: number
}
export const messages = new Store<Message[]>([])
export const spoken = new Store('')
let said = 0
export function say(kind: Message['kind'], text: string, more: { trouble?: Trouble; line?: string } = {}): string {
  const id = `M${Date.now().toString(36).toUpperCase().slice(-5)}${(++said).toString(36).toUpperCase()}`
  messages.set([{ id, kind, text, at: Date.now(), ...more }, ...messages.value].slice(0, 60))
  spoken.set(text)
  return id
}
export const dismiss = (id: string): void => messages.set(messages.value.filter((m) => m.id !== id))
export const announce = (text: string): void => spoken.set(text)

export const troubleOf = (e: unknown): Trouble =>
  e instanceof ApexError
    ? e.trouble
    : { status: 'E_BUG', what: e instanceof Error ? e.message : String(e), not_done: '', next: 'load the page again', who: 'you' }
export const complain = (e: unknown): string => {
  const t = troubleOf(e)
  const line = e instanceof ApexError ? e.more.line : undefined
  return say('error', t.what, { trouble: t, line: typeof line === 'string' ? line : undefined })
}

export const session = new Store<Session | null>(null)
export const closed = new Store<Trouble | null>(null) // the session is over, or the server is away
export const trust = new Store<{ place: string; trust: Trust } | null>(null)

export async function refreshSession(): Promise<void> {
  session.set(await api.session())
}

// One look after another; a server that is away is noticed, and so is its return.
export function watchTrust(place: string): () => void {
  let stop = false
  const look = async (): Promise<void> => {
    while (!stop) {
      try {
        const t = await api.trust(place)
        if (stop) return
        trust.set({ place, trust: t })
        if (closed.value) {
          closed.set(null)
          void refreshSession()
        }
      } catch (e) {
        if (stop) return
        closed.set(troubleOf(e))
        trust.set({ place, trust: { word: 'unreachable', error: troubleOf(e) } })
      }
      await new Promise((done) => setTimeout(done, 1500))
    }
  }
  void look()
  return () => {
    stop = true
  }
}

// What an act says, asked for again when `key` changes; the last word is kept while a new one is awaited.
export interface Asked<T> {
  value: T | null
  error: Trouble | null
  line: string
  loading: boolean
  reload: () => void
}
const lastWord = new globalThis.Map<string, { value: unknown; line: string }>()
export function useAct<T>(place: string, request: Request | null): Asked<T> {
  const key = request ? place + JSON.stringify(request) : ''
  const [state, set] = useState<Omit<Asked<T>, 'reload'>>(() => fresh(key))
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let here = true
    if (!request) return
    set((old) => ({ ...(old.value && key === '' ? old : fresh<T>(key)), loading: true }))
    api.run<T>(place, request).then(
      ({ output, job }) => {
        lastWord.set(key, { value: output, line: job.line })
        if (here) set({ value: output, error: null, line: job.line, loading: false })
      },
      (e) => here && set((old) => ({ ...old, error: troubleOf(e), loading: false })),
    )
    return () => {
      here = false
    }
  }, [key, turn])
  return { ...state, reload: () => setTurn((n) => n + 1) }
}
function fresh<T>(key: string): Omit<Asked<T>, 'reload'> {
  const kept = lastWord.get(key)
  return { value: (kept?.value as T) ?? null, error: null, line: kept?.line ?? '', loading: key !== '' }
}

export function contractOf(address: string, facts: Facts): Contract | null {
  try {
    return { address, facts, manifest: JSON.parse(facts.manifest) as Manifest }
  } catch {
    return null
  }
}

export function useContract(place: string, address: string): Asked<Facts> & { contract: Contract | null } {
  const asked = useAct<Facts>(place, address ? { act: 'contract show', address } : null)
  const kept = useRef<{ facts: Facts; contract: Contract | null } | null>(null)
  if (asked.value && kept.current?.facts !== asked.value) kept.current = { facts: asked.value, contract: contractOf(address, asked.value) }
  return { ...asked, contract: asked.value ? (kept.current?.contract ?? null) : null }
}

// A job, followed until it has ended.
export function useJob(id: number | null): { job: Job | null; error: Trouble | null } {
  const [state, set] = useState<{ job: Job | null; error: Trouble | null }>({ job: null, error: null })
  useEffect(() => {
    let here = true
    if (id === null) return
    const follow = async (): Promise<void> => {
      for (let first = true; here; first = false) {
        try {
          const job = await api.job(id, first ? 0 : 400)
          if (!here) return
          set({ job, error: null })
          if (job.state !== 'running') return
          if (first) continue
        } catch (e) {
          if (!here) return
          const t = troubleOf(e)
          set((old) => ({ ...old, error: t }))
          if (t.status !== 'E_UNREACHABLE') return
          await new Promise((done) => setTimeout(done, 1000))
        }
      }
    }
    void follow()
    return () => {
      here = false
    }
  }, [id])
  return state
}
