// Five steps: choose, map, check, seal, receipt. What the file means libapex decides; the page shows it.
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import * as api from '../api'
import { ApexError } from '../api'
import { bytes, count, short, when } from '../format'
import { Map } from '../map/map'
import { project } from '../map/points'
import { boxOf } from '../map/projection'
import { Command, Copy, Empty, Fact, Hash, Icon, Loading, Progress, TroubleBox, TrustChip } from '../parts'
import { go, link, setQuery, type Route } from '../router'
import { cells, delimiterOf, looksJson, readRows, twins, type Rows } from '../rows'
import { complain, say, session, troubleOf, trust, useContract, useJob } from '../store'
import type { BadRow, Contract, Dataset, Job, Report, Sent, Trouble } from '../types'
import { download } from '../map/map'
import { trusted } from './contracts'

const steps = ['Choose', 'Map columns', 'Check', 'Seal', 'Receipt'] as const

interface Chosen { id: string; name: string; bytes: number; sha256: string; head: string }
interface Checked { report: Report; rows: Rows | null; again: number; line: string; took: number }

const Stepper = ({ at }: { at: number }): JSX.Element => (
  <ol class="stepper" aria-label="Steps">{steps.map((s, i) => <li key={s} class={i < at ? 'past' : i === at ? 'now' : ''} aria-current={i === at ? 'step' : undefined}><span>{i < at ? '✓' : i + 1}</span>{s}</li>)}</ol>
)

function Choose({ place, dataset, onChosen }: { place: string; dataset: Dataset; onChosen: (c: Chosen) => void }): JSX.Element {
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
    return <div class="card"><p>Reading the file on this machine…</p><Progress done={share} total={1} label="Reading the file" /><button type="button" onClick={() => stop.current?.abort()}>Cancel</button></div>
  return (
    <div class="card">
      <div
        class={`drop${over ? ' over' : ''}`} data-testid="drop"
        onDragOver={(e) => { e.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)}
        onDrop={(e) => { e.preventDefault(); setOver(false); const f = e.dataTransfer?.files[0]; if (f) void take(f.name, f) }}
      >
        <Icon name="contribute" />
        <p><strong>Drop a file here</strong> or <button type="button" class="link" onClick={() => input.current!.click()}>choose one</button></p>
        <p class="dim">CSV (any delimiter), JSON list, JSON lines or GeoJSON points. It goes to <code>apex</code> on this machine only; nothing leaves before you seal it.</p>
        <input ref={input} type="file" class="hidden" tabIndex={-1} aria-label="File with rows" onChange={(e) => { const f = e.currentTarget.files?.[0]; if (f) void take(f.name, f) }} />
      </div>
      {own.map((f) => <p key={f.id}><button type="button" class="primary" onClick={() => void sample(f.id)}>Take {place}'s part of the sample data</button></p>)}
      <details>
        <summary>Paste rows instead</summary>
        <textarea rows={6} aria-label="Rows as JSON or CSV" value={paste} onInput={(e) => setPaste(e.currentTarget.value)} placeholder={'[{"latitude": -37.78, "longitude": 175.27}]'} />
        <button type="button" disabled={!paste.trim()} onClick={() => void take('pasted', new Blob([paste]))}>Use these rows</button>
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

function MapColumns({ dataset, chosen, offer, trouble, onMapped }: { dataset: Dataset; chosen: Chosen; offer: string; trouble: Trouble | null; onMapped: (map: string) => void }): JSX.Element {
  const table = useMemo(() => cells(chosen.head.replace(/^\ufeff/, ''), delimiterOf(chosen.head), 6), [chosen.head])
  const header = (table[0] ?? []).map((h) => h.trim())
  const columns = dataset.columns.map((c) => c.name)
  const noHeader = header.some((h) => /^[-+]?[\d.]+$/.test(h))
  const [picked, pick] = useState(() => readMap(offer || columns.map((c) => `${c}=${c}`).join(','), columns, header))
  const names = header.map((h, i) => (noHeader ? `column ${i + 1} (${h})` : h || `column ${i + 1}`))
  const used = new Set(Object.values(picked))
  const ignored = noHeader ? [] : names.filter((_, i) => !used.has(i))
  const whole = columns.every((c) => picked[c] !== undefined && picked[c]! >= 0) && new Set(columns.map((c) => picked[c])).size === columns.length
  const sure = (c: string): string => {
    const at = picked[c]
    if (at === undefined || at < 0) return 'not found: choose it'
    return header[at]?.toLowerCase() === c.toLowerCase() ? 'certain: the same name' : noHeader ? 'a guess by position: look at the sample' : 'a guess by its name: look at the sample'
  }
  return (
    <div class="card">
      <h2>Which column is which?</h2>
      {trouble && <p class="dim"><Icon name="info" /> {trouble.what}</p>}
      <div class="map-columns">
        {dataset.columns.map((c) => (
          <div key={c.name} class="field">
            <label for={`map-${c.name}`}>{c.name} <span class="dim">({c.type}{c.unit ? `, ${c.unit}` : ''})</span></label>
            <select id={`map-${c.name}`} value={String(picked[c.name] ?? -1)} onChange={(e) => pick({ ...picked, [c.name]: Number(e.currentTarget.value) })}>
              <option value="-1">choose…</option>
              {names.map((n, i) => <option key={i} value={String(i)}>{n}</option>)}
            </select>
            <p class="dim small-text">{sure(c.name)}</p>
          </div>
        ))}
      </div>
      <div class="table-box" tabIndex={0} role="region" aria-label="Sample of the file"><table>
        <caption>The first {Math.max(0, table.length - (noHeader ? 0 : 1))} rows, as they are in the file</caption>
        <thead><tr>{names.map((n, i) => <th key={i} scope="col" class={used.has(i) ? 'used' : 'unused'}>{n}</th>)}</tr></thead>
        <tbody>{table.slice(noHeader ? 0 : 1, 6).map((r, i) => <tr key={i}>{names.map((_, k) => <td key={k} class={used.has(k) ? 'used' : 'unused'}>{r[k] ?? ''}</td>)}</tr>)}</tbody>
      </table></div>
      <p data-testid="ignored">{ignored.length ? <><Icon name="shield" /> Left out, never sent: <strong>{ignored.join(', ')}</strong></> : 'Every column of the file is used.'}</p>
      <button type="button" class="primary" disabled={!whole} onClick={() => onMapped(columns.map((c) => `${c}=${picked[c]! + 1}`).join(','))}>Use this mapping</button>
      {!whole && <p class="dim">Choose a different column of the file for each column of the dataset.</p>}
    </div>
  )
}

const groupBad = (bad: BadRow[]): [string, BadRow[]][] => {
  const groups: Record<string, BadRow[]> = {}
  for (const b of bad) (groups[`${b.column || 'row'}: ${b.reason}`] ??= []).push(b)
  return Object.entries(groups)
}

function Histogram({ values, name }: { values: Float64Array; name: string }): JSX.Element {
  const bins = 24
  const { counts, low, high } = useMemo(() => {
    let a = Infinity, b = -Infinity
    for (const v of values) {
      if (v < a) a = v
      if (v > b) b = v
    }
    const c = new Array<number>(bins).fill(0)
    for (const v of values) c[Math.min(bins - 1, Math.floor(((v - a) / Math.max(1e-12, b - a)) * bins))]!++
    return { counts: c, low: a, high: b }
  }, [values])
  const top = Math.max(...counts)
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${bins * 10} 60`} preserveAspectRatio="none" role="img" aria-label={`Spread of ${name} from ${low.toFixed(3)} to ${high.toFixed(3)}`}>
        {counts.map((c, i) => <rect key={i} x={i * 10 + 1} y={58 - (c / top) * 56} width={8} height={(c / top) * 56 + 1} />)}
      </svg>
      <figcaption class="dim small-text">{name}: {low.toFixed(4)} to {high.toFixed(4)}</figcaption>
    </figure>
  )
}

function CheckStep({ chosen, checked, onSeal, onAgain }: { chosen: Chosen; checked: Checked; onSeal: () => void; onAgain: () => void }): JSX.Element {
  const { report, rows } = checked
  const points = useMemo(() => (rows?.latitude ? project(rows.latitude, rows.longitude!) : null), [rows])
  const box = useMemo(() => (rows?.latitude ? boxOf(rows.latitude, rows.longitude!) : null), [rows])
  const good = report.bad_rows === 0
  const rejected = (): void => {
    const guard = (v: string): string => `"${(/^[=+\-@]/.test(v) ? `'${v}` : v).replaceAll('"', '""')}"`
    download(`rejected-${chosen.name}.csv`, ['row,line,column,value,reason', ...report.bad.map((b) => [b.row, b.line, guard(b.column), guard(b.value), guard(b.reason)].join(','))].join('\n'), 'text/csv')
  }
  return (
    <div class="card" data-testid="checked">
      <div class="stats">
        <div class="stat good"><strong>{count(report.rows)}</strong><span class="dim">rows ok</span></div>
        <div class="stat"><strong>{count(checked.again)}</strong><span class="dim">places that occur again</span></div>
        <div class={`stat ${good ? '' : 'bad'}`}><strong>{count(report.bad_rows)}</strong><span class="dim">bad rows</span></div>
        <div class="stat"><strong>{(checked.took / 1000).toFixed(2)} s</strong><span class="dim">to check, on this machine</span></div>
      </div>
      {report.ignored_columns && <p><Icon name="shield" /> Left out, never sent: <strong>{report.ignored_columns}</strong></p>}
      {good ? (
        <>
          {points && <Map label={`Your own ${count(points.n)} points`} points={points} box={box} legend={[{ colour: 'point', text: 'your own points; brighter where there are many' }]} />}
          {rows?.latitude && <div class="row wrap"><Histogram values={rows.latitude} name="latitude" /><Histogram values={rows.longitude!} name="longitude" /></div>}
          {box && <p class="dim">Bounding box: {box.south.toFixed(4)} to {box.north.toFixed(4)} north, {box.west.toFixed(4)} to {box.east.toFixed(4)} east.{checked.again > 0 ? ' Places that occur again are kept: several customers may live at one address.' : ''}</p>}
          <div class="row"><button type="button" class="primary" onClick={onSeal}>Go on to seal</button><button type="button" onClick={onAgain}>Choose another file</button></div>
        </>
      ) : (
        <>
          <p>Nothing was sent. Correct the rows below in your file, or take them out, and choose it again.</p>
          {groupBad(report.bad).map(([what, rows_]) => (
            <details key={what} open><summary>{what} <span class="tag">{rows_.length}</span></summary>
              <div class="table-box"><table><thead><tr><th scope="col">row</th><th scope="col">line</th><th scope="col">column</th><th scope="col">found</th></tr></thead>
                <tbody>{rows_.map((b) => <tr key={b.row} data-bad={b.row}><td>{b.row}</td><td>{b.line}</td><td>{b.column}</td><td><code>{b.value}</code></td></tr>)}</tbody></table></div>
            </details>
          ))}
          {report.bad_rows > report.bad.length && <p class="dim">The first {report.bad.length} of {count(report.bad_rows)} are shown.</p>}
          <div class="row"><button type="button" onClick={rejected}>Download the list</button><button type="button" class="primary" onClick={onAgain}>Choose another file</button></div>
        </>
      )}
      <Command line={checked.line} />
    </div>
  )
}

function Seal({ contract, dataset, chosen, checked, map, place, onSent }: { contract: Contract; dataset: Dataset; chosen: Chosen; checked: Checked; map: string; place: string; onSent: (job: number) => void }): JSX.Element {
  const [consent, setConsent] = useState(false)
  const [before, setBefore] = useState<Sent[]>([])
  const [busy, setBusy] = useState(false)
  const t = trust.use()
  const word = t?.trust.word ?? 'checking'
  useEffect(() => void api.sent(place).then(setBefore, () => undefined), [])
  const twin = before.find((s) => s.sha256 === chosen.sha256 && s.address === contract.address && s.dataset === dataset.name)
  const width: Record<string, number> = { latitude: 4, longitude: 4, date: 4, category: 4, bool: 1 }
  const size = checked.report.rows * dataset.columns.reduce((n, c) => n + (width[c.type] ?? 8), 0)
  const named = contract.manifest.enclaves.some((e) => e.measurement === t?.trust.verdict?.measurement)
  const why = !trusted(word) ? `the enclave is not trusted now (${word})` : !named ? 'the contract names another enclave than this node has' : contract.facts.state !== 'active' ? `the contract is ${contract.facts.state}: not all have accepted it` : ''
  const seal = async (): Promise<void> => {
    setBusy(true)
    try {
      onSent((await api.start(place, { act: 'contribute', address: contract.address, dataset: dataset.name, file: chosen.id, ...(map ? { map } : {}) })).id)
    } catch (e) {
      complain(e)
    }
    setBusy(false)
  }
  return (
    <div class="card" data-testid="seal">
      <h2>What is sent</h2>
      <dl class="facts">
        <Fact name="Rows">{count(checked.report.rows)}</Fact>
        <Fact name="Columns">{dataset.columns.map((c) => c.name).join(', ')}</Fact>
        <Fact name="Bytes">about {bytes(size)}, encrypted on this machine; no name of the file or of its columns goes along</Fact>
        <Fact name="Sealed to">{contract.facts.name} <Hash text={contract.address} what="address" /></Fact>
        <Fact name="Recipient key"><Hash text={contract.facts.key} what="recipient key" /><br /><span class="dim">the contract’s own, made inside the enclave whose measurement is <code>{(t?.trust.verdict?.measurement ?? 'unknown').slice(0, 16)}…</code></span></Fact>
        <Fact name="Trust"><TrustChip word={word} /></Fact>
        <Fact name="Who can read a row">the contract's program while it runs, nobody else{word === 'simulated' ? '; as this enclave is simulated, also whoever runs the node' : ''}</Fact>
      </dl>
      {twin && <p class="warning" role="alert"><Icon name="warn" /> You sent this very file to this dataset already, as contribution {twin.receipt.contribution} on {when(twin.time_ms)}. Sent again, its rows count twice.</p>}
      <label class="check"><input type="checkbox" checked={consent} onChange={(e) => setConsent(e.currentTarget.checked)} /> I may share these rows under the rules of this contract, and I want to contribute them.</label>
      <div class="row"><button type="button" class="primary" disabled={!consent || busy || why !== ''} onClick={() => void seal()}>Seal and send</button></div>
      {why && <p class="warning"><Icon name="warn" /> Sealing is off: {why}.</p>}
      <Command line={`apex contribute ${contract.address} ${dataset.name} ${chosen.name}${map ? ` --map ${map}` : ''}`} />
    </div>
  )
}

function Receipt({ place, job, contract, onAgain }: { place: string; job: Job; contract: Contract; onAgain: () => void }): JSX.Element {
  const out = job.output as (Report & { contribution: number; sealed_bytes: number; ciphertext: string; error?: Trouble }) | undefined
  const told = useRef(false)
  useEffect(() => {
    if (job.state === 'running' || told.current) return
    told.current = true
    if (job.state === 'done') say('done', `Contribution ${out?.contribution} is recorded.`, { line: job.line })
  }, [job.state])
  if (job.state === 'running')
    return (
      <div class="card" data-testid="sealing">
        <h2>{job.stage || 'Starting'}…</h2>
        <Progress done={job.done} total={job.total} label={job.stage} />
        <p class="dim" role="status">{((job.now_ms - job.started_ms) / 1000).toFixed(1)} s</p>
        <button type="button" onClick={() => void api.cancel(job.id)}>Cancel</button>
      </div>
    )
  if (job.state === 'cancelled')
    return <Empty icon="off" title="Cancelled"><p>The contribution was not recorded: its ciphertext belongs to no contract, and nobody can open it. See Audit to be sure.</p><button type="button" onClick={onAgain}>Start again</button></Empty>
  if (job.state === 'failed' || !out) return <TroubleBox trouble={out?.error ?? troubleOf(new Error('the contribution did not finish'))} onRetry={onAgain} />
  const receipt = { contract: contract.address, name: contract.facts.name, dataset: job.request.dataset, contribution: out.contribution, rows: out.rows, sealed_bytes: out.sealed_bytes, ciphertext_sha256: out.ciphertext, time: when(job.ended_ms!), simulated: trust.value?.trust.word === 'simulated' }
  return (
    <div class="card" data-testid="receipt">
      <h2><Icon name="pass" /> Contributed</h2>
      <dl class="facts">
        <Fact name="Contribution">entry {out.contribution} of the log</Fact>
        <Fact name="Rows">{count(out.rows)}</Fact>
        <Fact name="Ciphertext">{count(out.sealed_bytes)} bytes, SHA-256 <Hash text={out.ciphertext} what="ciphertext hash" /></Fact>
        <Fact name="Recorded">{when(job.ended_ms!)}, after {((job.ended_ms! - job.started_ms) / 1000).toFixed(1)} s</Fact>
        <Fact name="Contract">{contract.facts.entries} entries before, one more now</Fact>
      </dl>
      <div class="row wrap"><button type="button" class="primary" onClick={() => download(`contribution-${out.contribution}.json`, JSON.stringify(receipt, null, 1), 'application/json')}>Download this receipt</button><a class="button" href={link(place, 'analyse', contract.address)}>Analyse</a><button type="button" onClick={onAgain}>Contribute more</button></div>
      <Command line={job.line} />
    </div>
  )
}

export function Contribute({ route }: { route: Route }): JSX.Element {
  const { place, id, query } = route
  const asked = useContract(place, id)
  const [chosen, setChosen] = useState<Chosen | null>(null)
  const [map, setMap] = useState('')
  const [mapping, setMapping] = useState<{ offer: string; trouble: Trouble | null } | null>(null)
  const [checked, setChecked] = useState<Checked | null>(null)
  const [checking, setChecking] = useState(false)
  const [sealing, setSealing] = useState(false)
  const [trouble, setTrouble] = useState<Trouble | null>(null)
  const jobId = Number(query.get('job')) || null
  const { job } = useJob(jobId)
  const c = asked.contract
  const datasets = c?.manifest.datasets ?? []
  const dataset = datasets.find((d) => d.name === query.get('dataset')) ?? datasets[0]

  const again = (): void => {
    setChosen(null)
    setMap('')
    setMapping(null)
    setChecked(null)
    setSealing(false)
    setTrouble(null)
    setQuery({ job: null })
  }
  const check = async (file: Chosen, with_: string): Promise<void> => {
    setChecking(true)
    setTrouble(null)
    setMapping(null)
    const begin = performance.now()
    const request = { act: 'check', address: id, dataset: dataset!.name, file: file.id, ...(with_ ? { map: with_ } : {}) }
    try {
      const { output, job: j } = await api.run<Report>(place, request)
      const took = performance.now() - begin
      const rows = await readRows(await api.jobOutput(j.id))
      setChecked({ report: output, rows, again: await twins(rows), line: j.line, took })
    } catch (e) {
      const more = e instanceof ApexError ? e.more : {}
      if (typeof more.bad_rows === 'number' && more.bad_rows > 0) setChecked({ report: more as unknown as Report, rows: null, again: 0, line: String(more.line ?? ''), took: performance.now() - begin })
      else if (typeof more.offer === 'string' && !looksJson(file.head)) setMapping({ offer: more.offer, trouble: troubleOf(e) })
      else setTrouble(troubleOf(e))
    }
    setChecking(false)
  }
  const choose = (file: Chosen): void => {
    setChosen(file)
    void check(file, '')
  }
  if (asked.error && !c) return <TroubleBox trouble={asked.error} onRetry={asked.reload} />
  if (!c || !dataset) return <Loading what="Reading the contract" />
  const at = job ? 4 : sealing ? 3 : checked ? 2 : mapping ? 1 : 0
  return (
    <section>
      <header class="page-head"><h1>Contribute</h1><p class="dim">to {c.facts.name} <span class="hash"><code>{short(c.address)}</code><Copy text={c.address} what="address" /></span></p></header>
      <Stepper at={at} />
      {at === 0 && datasets.length > 1 && (
        <div class="field inline"><label for="dataset">Dataset</label><select id="dataset" value={dataset.name} onChange={(e) => setQuery({ dataset: e.currentTarget.value })}>{datasets.map((d) => <option key={d.name} value={d.name}>{d.name}: {d.columns.map((k) => k.name).join(', ')}</option>)}</select></div>
      )}
      {trouble && <TroubleBox trouble={trouble} onRetry={again} />}
      {checking && <div class="card"><Loading what="Checking every row, on this machine" /><Progress done={0} total={0} label="Checking" /></div>}
      {at === 0 && !checking && <Choose place={place} dataset={dataset} onChosen={choose} />}
      {at === 1 && !checking && <MapColumns dataset={dataset} chosen={chosen!} offer={mapping!.offer} trouble={mapping!.trouble} onMapped={(m) => { setMap(m); void check(chosen!, m) }} />}
      {at === 2 && <CheckStep chosen={chosen!} checked={checked!} onSeal={() => setSealing(true)} onAgain={again} />}
      {at === 3 && <Seal contract={c} dataset={dataset} chosen={chosen!} checked={checked!} map={map} place={place} onSent={(j) => go(link(place, 'contribute', id, '', { dataset: dataset.name, job: String(j) }))} />}
      {at === 4 && <Receipt place={place} job={job!} contract={c} onAgain={again} />}
    </section>
  )
}
