// The first two steps: which file, and which of its columns is which.
import type { JSX } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import * as api from '../api'
import { Icon, Progress } from '../parts'
import { cells, delimiterOf } from '../rows'
import { complain, say, session } from '../store'
import type { Dataset, Trouble } from '../types'

export interface Chosen {
  id: string
  name: string
  bytes: number
  sha256: string
  head: string
}
export function Choose({ place, dataset, onChosen }: { place: string; dataset: Dataset; onChosen: (c: Chosen) => void }): JSX.Element {
  const [share, setShare] = useState<number | null>(null)
  const [over, setOver] = useState(false)
  const [paste, setPaste] = useState('')
  const stop = useRef<AbortController | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const s = session.use()
  const take = async (name: string, body: Blob): Promise<void> => {
    stop.current = new AbortController()
    setShare(0)
    try {
      const up = await api.upload(place, name, body, setShare, stop.current.signal)
      onChosen({ ...up, head: await body.slice(0, 65536).text() })
    } catch (e) {
      if (e instanceof DOMException) say('info', 'The file was not taken: you cancelled. Nothing was kept.')
      else complain(e)
    }
    setShare(null)
  }
  const own = s?.room.parties?.find((p) => p.name === place)?.files.filter((f) => f.dataset === dataset.name) ?? []
  const sample = async (id: string): Promise<void> => {
    const text = await api.fileText(place, id)
    await take(`${dataset.name}-${place}.csv`, new Blob([text]))
  }
  if (share !== null)
    return (
      <div class="card">
        <p>Reading the file on this machine…</p>
        <Progress done={share} total={1} label="Reading the file" />
        <button type="button" onClick={() => stop.current?.abort()}>
          Cancel
        </button>
      </div>
    )
  return (
    <div class="card">
      <div
        class={`drop${over ? ' over' : ''}`}
        data-testid="drop"
        onDragOver={(e) => {
          e.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(e) => {
          e.preventDefault()
          setOver(false)
          const f = e.dataTransfer?.files[0]
          if (f) void take(f.name, f)
        }}
      >
        <Icon name="contribute" />
        <p>
          <strong>Drop a file here</strong> or{' '}
          <button type="button" class="link" onClick={() => input.current!.click()}>
            choose one
          </button>
        </p>
        <p class="dim">
          CSV (any delimiter), JSON list, JSON lines or GeoJSON points. It goes to <code>apex</code> on this machine only; nothing leaves
          before you seal it.
        </p>
        <input
          ref={input}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-label="File with rows"
          onChange={(e) => {
            const f = e.currentTarget.files?.[0]
            if (f) void take(f.name, f)
          }}
        />
      </div>
      {own.map((f) => (
        <p key={f.id}>
          <button type="button" class="primary" onClick={() => void sample(f.id)}>
            Take {place}'s part of the sample data
          </button>
        </p>
      ))}
      <details>
        <summary>Paste rows instead</summary>
        <textarea
          rows={6}
          aria-label="Rows as JSON or CSV"
          value={paste}
          onInput={(e) => setPaste(e.currentTarget.value)}
          placeholder={'[{"latitude": -37.78, "longitude": 175.27}]'}
        />
        <button type="button" disabled={!paste.trim()} onClick={() => void take('pasted', new Blob([paste]))}>
          Use these rows
        </button>
      </details>
    </div>
  )
}

// "latitude=2,longitude=3": what the columns of the dataset are in the file.
export function readMap(map: string, columns: string[], header: string[]): Record<string, number> {
  const out: Record<string, number> = {}
  for (const pair of map.split(',')) {
    const [c, name = ''] = pair.split(/=(.*)/s)
    if (!c || !columns.includes(c)) continue
    const at = header.indexOf(name)
    out[c] = /^\d+$/.test(name) && at < 0 ? Number(name) - 1 : at
  }
  return out
}

export function MapColumns({
  dataset,
  chosen,
  offer,
  trouble,
  onMapped,
}: {
  dataset: Dataset
  chosen: Chosen
  offer: string
  trouble: Trouble | null
  onMapped: (map: string) => void
}): JSX.Element {
  const table = useMemo(() => cells(chosen.head.replace(/^\ufeff/, ''), delimiterOf(chosen.head), 6), [chosen.head])
  const header = (table[0] ?? []).map((h) => h.trim())
  const columns = dataset.columns.map((c) => c.name)
  const noHeader = header.some((h) => /^[-+]?[\d.]+$/.test(h))
  const [picked, pick] = useState(() => readMap(offer || columns.map((c) => `${c}=${c}`).join(','), columns, header))
  const names = header.map((h, i) => (noHeader ? `column ${i + 1} (${h})` : h || `column ${i + 1}`))
  const used = new Set(Object.values(picked))
  const ignored = noHeader ? [] : names.filter((_, i) => !used.has(i))
  const whole =
    columns.every((c) => picked[c] !== undefined && picked[c]! >= 0) && new Set(columns.map((c) => picked[c])).size === columns.length
  const sure = (c: string): string => {
    const at = picked[c]
    if (at === undefined || at < 0) return 'not found: choose it'
    return header[at]?.toLowerCase() === c.toLowerCase()
      ? 'certain: the same name'
      : noHeader
        ? 'a guess by position: look at the sample'
        : 'a guess by its name: look at the sample'
  }
  return (
    <div class="card">
      <h2>Which column is which?</h2>
      {trouble && (
        <p class="dim">
          <Icon name="info" /> {trouble.what}
        </p>
      )}
      <div class="map-columns">
        {dataset.columns.map((c) => (
          <div key={c.name} class="field">
            <label for={`map-${c.name}`}>
              {c.name}{' '}
              <span class="dim">
                ({c.type}
                {c.unit ? `, ${c.unit}` : ''})
              </span>
            </label>
            <select
              id={`map-${c.name}`}
              value={String(picked[c.name] ?? -1)}
              onChange={(e) => pick({ ...picked, [c.name]: Number(e.currentTarget.value) })}
            >
              <option value="-1">choose…</option>
              {names.map((n, i) => (
                <option key={i} value={String(i)}>
                  {n}
                </option>
              ))}
            </select>
            <p class="dim small-text">{sure(c.name)}</p>
          </div>
        ))}
      </div>
      <div class="table-box" tabIndex={0} role="region" aria-label="Sample of the file">
        <table>
          <caption>The first {Math.max(0, table.length - (noHeader ? 0 : 1))} rows, as they are in the file</caption>
          <thead>
            <tr>
              {names.map((n, i) => (
                <th key={i} scope="col" class={used.has(i) ? 'used' : 'unused'}>
                  {n}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.slice(noHeader ? 0 : 1, 6).map((r, i) => (
              <tr key={i}>
                {names.map((_, k) => (
                  <td key={k} class={used.has(k) ? 'used' : 'unused'}>
                    {r[k] ?? ''}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p data-testid="ignored">
        {ignored.length ? (
          <>
            <Icon name="shield" /> Left out, never sent: <strong>{ignored.join(', ')}</strong>
          </>
        ) : (
          'Every column of the file is used.'
        )}
      </p>
      <button
        type="button"
        class="primary"
        disabled={!whole}
        onClick={() => onMapped(columns.map((c) => `${c}=${picked[c]! + 1}`).join(','))}
      >
        Use this mapping
      </button>
      {!whole && <p class="dim">Choose a different column of the file for each column of the dataset.</p>}
    </div>
  )
}
