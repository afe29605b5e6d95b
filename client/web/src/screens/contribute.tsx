// Five steps: choose, map, check, seal, receipt. What the file means libapex decides; the page shows it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import * as api from '../api'
import { ApexError } from '../api'
import { short } from '../format'
import { Copy, Loading, Progress, TroubleBox } from '../parts'
import { go, link, setQuery, type Route } from '../router'
import { looksJson, readRows, twins } from '../rows'
import { troubleOf, useContract, useJob } from '../store'
import type { Report, Trouble } from '../types'
import { CheckStep, type Checked } from './contribute_check'
import { Choose, MapColumns, type Chosen } from './contribute_choose'
import { Receipt, Seal } from './contribute_seal'

const steps = ['Choose', 'Map columns', 'Check', 'Seal', 'Receipt'] as const

const Stepper = ({ at }: { at: number }): JSX.Element => (
  <ol class="stepper" aria-label="Steps">
    {steps.map((s, i) => (
      <li key={s} class={i < at ? 'past' : i === at ? 'now' : ''} aria-current={i === at ? 'step' : undefined}>
        <span>{i < at ? '✓' : i + 1}</span>
        {s}
      </li>
    ))}
  </ol>
)

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
      if (typeof more.bad_rows === 'number' && more.bad_rows > 0)
        setChecked({
          report: more as unknown as Report,
          rows: null,
          again: 0,
          line: String(more.line ?? ''),
          took: performance.now() - begin,
        })
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
      <header class="page-head">
        <h1>Contribute</h1>
        <p class="dim">
          to {c.facts.name}{' '}
          <span class="hash">
            <code>{short(c.address)}</code>
            <Copy text={c.address} what="address" />
          </span>
        </p>
      </header>
      <Stepper at={at} />
      {at === 0 && datasets.length > 1 && (
        <div class="field inline">
          <label for="dataset">Dataset</label>
          <select id="dataset" value={dataset.name} onChange={(e) => setQuery({ dataset: e.currentTarget.value })}>
            {datasets.map((d) => (
              <option key={d.name} value={d.name}>
                {d.name}: {d.columns.map((k) => k.name).join(', ')}
              </option>
            ))}
          </select>
        </div>
      )}
      {trouble && <TroubleBox trouble={trouble} onRetry={again} />}
      {checking && (
        <div class="card">
          <Loading what="Checking every row, on this machine" />
          <Progress done={0} total={0} label="Checking" />
        </div>
      )}
      {at === 0 && !checking && <Choose place={place} dataset={dataset} onChosen={choose} />}
      {at === 1 && !checking && (
        <MapColumns
          dataset={dataset}
          chosen={chosen!}
          offer={mapping!.offer}
          trouble={mapping!.trouble}
          onMapped={(m) => {
            setMap(m)
            void check(chosen!, m)
          }}
        />
      )}
      {at === 2 && <CheckStep chosen={chosen!} checked={checked!} onSeal={() => setSealing(true)} onAgain={again} />}
      {at === 3 && (
        <Seal
          contract={c}
          dataset={dataset}
          chosen={chosen!}
          checked={checked!}
          map={map}
          place={place}
          onSent={(j) => go(link(place, 'contribute', id, '', { dataset: dataset.name, job: String(j) }))}
        />
      )}
      {at === 4 && <Receipt place={place} job={job!} contract={c} onAgain={again} />}
    </section>
  )
}
