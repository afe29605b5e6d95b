// The owner's own rows, for drawing and counting beside an answer. They come from this machine's disk and go nowhere.
import { useEffect, useState } from 'preact/hooks'
import * as api from '../api'
import { readRows, type Rows } from '../rows'
import type { Sent } from '../types'

const kept = new globalThis.Map<string, Rows>()

export interface Own {
  rows: Rows | null
  datasets: string[]
  missing: boolean
}

// What was contributed from here to these datasets of a contract, as it was sealed.
export function useOwnRows(place: string, address: string, datasets: string[]): Own {
  const [own, set] = useState<Own>({ rows: null, datasets: [], missing: false })
  const key = `${place}/${address}/${datasets.join(',')}`
  useEffect(() => {
    let here = true
    const load = async (): Promise<void> => {
      const sent = (await api.sent(place)).filter((s) => s.address === address && datasets.includes(s.dataset))
      const latest = new globalThis.Map<string, Sent>(sent.map((s) => [s.dataset, s]))
      const parts: Rows[] = []
      for (const s of latest.values()) {
        const id = `${place}/${s.file}/${s.dataset}/${s.map ?? ''}`
        let rows = kept.get(id)
        if (!rows) {
          const { job } = await api.run(place, {
            act: 'check',
            address,
            dataset: s.dataset,
            file: s.file,
            ...(s.map ? { map: s.map } : {}),
          })
          rows = await readRows(await api.jobOutput(job.id))
          kept.set(id, rows)
        }
        parts.push(rows)
      }
      if (here) set({ rows: join(parts), datasets: [...latest.keys()], missing: latest.size === 0 })
    }
    load().catch(() => here && set({ rows: null, datasets: [], missing: true }))
    return () => {
      here = false
    }
  }, [key])
  return own
}

function join(parts: Rows[]): Rows | null {
  if (parts.length <= 1) return parts[0] ?? null
  const n = parts.reduce((s, p) => s + p.n, 0)
  const out: Rows = {
    names: parts[0]!.names,
    n,
    latitude: new Float64Array(n),
    longitude: new Float64Array(n),
    label: parts.every((p) => p.label) ? [] : undefined,
  }
  let at = 0
  for (const p of parts) {
    if (!p.latitude) return p
    out.latitude!.set(p.latitude, at)
    out.longitude!.set(p.longitude!, at)
    if (out.label) out.label = out.label.concat(p.label!)
    at += p.n
  }
  return out
}
