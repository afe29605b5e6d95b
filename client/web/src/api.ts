// The server's words. It runs `apex` for us and hands its JSON on; nothing here knows a key.
import type { Job, Session, Trust, Upload, Sent, Kept, Trouble } from './types'

export class ApexError extends Error {
  readonly trouble: Trouble
  readonly more: Record<string, unknown>
  constructor(trouble: Trouble, more: Record<string, unknown> = {}) {
    super(trouble.what)
    this.trouble = trouble
    this.more = more
  }
}

const gone: Trouble = {
  status: 'E_UNREACHABLE',
  what: '`apex ui` does not answer: it was ended, or this machine is busy',
  not_done: 'nothing more was sent from this page',
  next: 'start `apex ui` again and open the address it prints; this page looks again by itself',
  who: 'you',
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', redirect: 'error', cache: 'no-store' })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApexError(gone)
  }
  const type = response.headers.get('content-type') ?? ''
  const body: unknown = type.startsWith('application/json') ? await response.json() : await response.text()
  if (response.ok) return body as T
  const trouble = (body as { error?: Trouble }).error
  throw new ApexError(trouble ?? { ...gone, what: `the server answered ${response.status}` })
}

const post = <T>(path: string, body: unknown = {}): Promise<T> =>
  ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

export const session = (): Promise<Session> => ask('/api/session')
export const roomOpen = (): Promise<Session['room']> => post('/api/room')
export const roomClose = (): Promise<Session['room']> => ask('/api/room', { method: 'DELETE' })
export const roomShow = (): Promise<Session['room']> => ask('/api/room')
export const trust = (place: string): Promise<Trust> => ask(`/api/${place}/trust`)
export const jobs = (place: string): Promise<Job[]> => ask(`/api/${place}/jobs`)
export const job = (id: number, waitMs = 0): Promise<Job> => ask(`/api/jobs/${id}?wait_ms=${waitMs}`)
export const cancel = (id: number): Promise<Job> => post(`/api/jobs/${id}/cancel`)
export const jobOutput = (id: number): Promise<string> => ask(`/api/jobs/${id}/output`)
export async function jobFile(id: number): Promise<Blob> {
  const r = await fetch(`/api/jobs/${id}/output`, { cache: 'no-store' })
  if (!r.ok) throw new ApexError(gone)
  return r.blob()
}
export const sent = (place: string): Promise<Sent[]> => ask(`/api/${place}/sent`)
export const results = (place: string): Promise<Kept[]> => ask(`/api/${place}/results`)
export const result = <T>(place: string, name: string): Promise<T> => ask(`/api/${place}/results/${name}`)
export const settings = (place: string, s: { node?: string; as?: string }): Promise<Session> => post(`/api/${place}/settings`, s)
export const preferences = (p: { theme?: string; units?: string }): Promise<unknown> => post('/api/preferences', p)
export const forgetFiles = (place: string): Promise<unknown> => ask(`/api/${place}/files`, { method: 'DELETE' })
export const fileText = (place: string, id: string): Promise<string> => ask(`/api/${place}/files/${id}`)
export const quit = (): Promise<unknown> => post('/api/quit')

export type Request = { act: string } & Record<string, unknown>

// Starts an act; the job may have ended already when it is short.
export const start = (place: string, request: Request, waitMs = 0): Promise<Job> =>
  post(`/api/${place}/do`, { once: crypto.randomUUID(), ...request, wait_ms: waitMs })

// Starts an act and waits for its end; an error of `apex` is thrown as such.
export async function run<T>(place: string, request: Request): Promise<{ output: T; job: Job }> {
  let j = await start(place, request, 15000)
  while (j.state === 'running') j = await job(j.id, 10000)
  const output = j.output as (T & { error?: Trouble }) | undefined
  if (j.state !== 'done')
    throw new ApexError(output?.error ?? { ...gone, what: `\`apex ${j.act}\` did not finish` }, { ...(output as object), line: j.line })
  return { output: output as T, job: j }
}

// A file of the owner's own, to its own machine: nothing leaves it. Progress comes from the browser.
export function upload(place: string, name: string, body: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest()
    x.open('POST', `/api/${place}/files?name=${encodeURIComponent(name)}`)
    x.responseType = 'json'
    x.upload.onprogress = (e) => progress(e.lengthComputable ? e.loaded / e.total : 0)
    x.onerror = () => reject(new ApexError(gone))
    x.onabort = () => reject(new DOMException('cancelled', 'AbortError'))
    x.onload = () => {
      const answer = x.response as (Upload & { error?: Trouble }) | null
      if (x.status === 200 && answer) resolve(answer)
      else reject(new ApexError(answer?.error ?? gone))
    }
    signal.addEventListener('abort', () => x.abort())
    x.send(body)
  })
}
