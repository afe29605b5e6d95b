import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import * as api from '../api'
import { ApexError } from '../api'
import { short, when } from '../format'
import { download } from '../map/save'
import { Chip, Command, Copy, Icon, Loading, Tabs, TroubleBox } from '../parts'
import { link, type Route } from '../router'
import { complain, troubleOf } from '../store'
import type { ClassAnswer, Manifest, ResultFile, SitesAnswer, Trouble, Verification } from '../types'
import { title } from './analyse'
import { Clusters } from './clusters'
import { CheckList } from './verdict'
import { Market } from './market'
import { Model } from './model'
import { ChooseK, Plain, type Chosen } from './plain'

export type Answer = SitesAnswer | ClassAnswer | Chosen
const learned = ['accuracy', 'r2', 'pooled', 'predictions', 'confusion', 'classes']
export interface Provenance {
  place: string
  name: string
  address: string
  fn: string
  run: number
  simulated: boolean
  manifest: Manifest
  program: string
  contributors?: number
}

export const stem = (p: Provenance): string => `${p.manifest.name}-${short(p.address).slice(0, 11)}-run${p.run}-${p.fn}`
export const caption = (p: Provenance): string[] => [
  `${p.manifest.name}, run ${p.run} (${p.fn})${p.contributors ? `, ${p.contributors} contributors` : ''}, ${new Date().toISOString().slice(0, 10)}${p.simulated ? ', simulated enclave' : ''}`,
  `contract ${p.address}`,
  `code ${p.program.slice(0, 30)}…; base map: Natural Earth`,
]

function Receipt({ p }: { p: Provenance }): JSX.Element {
  const [state, set] = useState<{ v: Verification | null; line: string; error: Trouble | null }>({ v: null, line: '', error: null })
  useEffect(() => {
    let here = true
    api.run<Verification>(p.place, { act: 'verify', result: p.name }).then(
      ({ output, job }) => here && set({ v: output, line: job.line, error: null }),
      (e) => {
        const v = e instanceof ApexError && Array.isArray(e.more.checks) ? (e.more as unknown as Verification) : null
        if (here) set({ v, line: '', error: v ? null : troubleOf(e) })
      },
    )
    return () => {
      here = false
    }
  }, [p.name])
  const save = async (): Promise<void> =>
    download(`${stem(p)}.json`, JSON.stringify(await api.result(p.place, p.name), null, 1), 'application/json')
  if (state.error) return <TroubleBox trouble={state.error} />
  if (!state.v) return <Loading what="Checking the receipt, with no network" />
  const { v } = state
  return (
    <section class="card" data-testid="receipt-check">
      <h2>
        <Icon name={v.holds ? 'pass' : 'fail'} /> {v.holds ? 'The receipt holds' : 'The receipt does not hold'}
      </h2>
      {v.sentences.filter(Boolean).map((s) => (
        <p key={s}>{s}</p>
      ))}
      <CheckList checks={v.checks} />
      <div class="row">
        <button type="button" onClick={() => void save()}>
          Download the result with its receipt
        </button>
      </div>
      <Command line={state.line} />
    </section>
  )
}

function Exports({ p, forms }: { p: Provenance; forms: ('csv' | 'geojson')[] }): JSX.Element {
  const out = async (form: 'csv' | 'geojson'): Promise<void> => {
    try {
      const { job } = await api.run(p.place, { act: `export ${form}`, result: p.name })
      download(`${stem(p)}.${form}`, await api.jobOutput(job.id), form === 'csv' ? 'text/csv' : 'application/geo+json')
    } catch (e) {
      complain(e)
    }
  }
  return (
    <span class="group">
      {forms.map((f) => (
        <button key={f} type="button" class="small" onClick={() => void out(f)}>
          {f === 'csv' ? 'CSV' : 'GeoJSON'}
        </button>
      ))}
    </span>
  )
}

export function Result({ route }: { route: Route }): JSX.Element {
  const { place, id, query } = route
  const [file, setFile] = useState<ResultFile<Answer> | null>(null)
  const [error, setError] = useState<Trouble | null>(null)
  useEffect(() => {
    let here = true
    setFile(null)
    api.result<ResultFile<Answer>>(place, id).then(
      (f) => here && setFile(f),
      (e) => here && setError(troubleOf(e)),
    )
    return () => {
      here = false
    }
  }, [place, id])
  if (error) return <TroubleBox trouble={error} />
  if (!file) return <Loading what="Opening the result" />
  const manifest = JSON.parse(file.receipt.manifest) as Manifest
  const r = file.receipt
  const a = file.result
  const p: Provenance = {
    place,
    name: id,
    address: r.address,
    fn: r.function,
    run: r.run,
    simulated: r.simulated,
    manifest,
    program: manifest.program.x86_64 ?? '',
    contributors: 'contributors' in a ? a.contributors : undefined,
  }
  const tab = query.get('tab') ?? 'answer'
  const sites = 'sites' in a ? a : null
  const choice = 'k' in a && Array.isArray(a.k) ? (a as Chosen) : null
  const classes = !sites && !choice && learned.some((k) => k in a) ? (a as ClassAnswer) : null
  const market = classes && (r.function === 'market' || r.function === 'own_market') ? classes : null
  return (
    <section class="result">
      <header class="page-head">
        <div class="row wrap between">
          <h1>{title(r.function)}</h1>
          <div class="row">
            <Exports p={p} forms={sites ? ['csv', 'geojson'] : classes?.classes || classes?.predictions ? ['csv'] : []} />
            {r.simulated && (
              <Chip tone="amber" icon="warn">
                simulated
              </Chip>
            )}
          </div>
        </div>
        <p class="dim row wrap">
          {manifest.name}{' '}
          <span class="hash">
            <code>{short(r.address)}</code>
            <Copy text={r.address} what="address" />
          </span>{' '}
          run {r.run}
          {p.contributors ? `, ${p.contributors} contributors` : ''}
        </p>
      </header>
      <Tabs
        tabs={[
          ['answer', 'Answer'],
          ['receipt', 'Receipt'],
          ['raw', 'As JSON'],
        ]}
        now={tab}
        href={(t) => link(place, 'result', id, '', { tab: t })}
      />
      {tab === 'receipt' && <Receipt p={p} />}
      {tab === 'raw' && (
        <pre class="card" tabIndex={0}>
          {JSON.stringify(a, null, 1)}
        </pre>
      )}
      {tab === 'answer' &&
        (sites ? (
          <Clusters p={p} answer={sites} route={route} />
        ) : market ? (
          <Market p={p} answer={market} />
        ) : choice ? (
          <ChooseK p={p} answer={choice} />
        ) : classes ? (
          <Model p={p} answer={classes} />
        ) : (
          <Plain answer={a} />
        ))}
      <Command line={`apex result ${r.address} ${r.run} -o result.json && apex verify result.json`} />
      <p class="dim small-text">Opened {when(Date.now())}</p>
    </section>
  )
}
