import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import * as api from '../api'
import { count } from '../format'
import { Command, Field, Icon, Loading, TroubleBox } from '../parts'
import { go, link, setQuery, type Route } from '../router'
import { complain, trust, useAct, useContract } from '../store'
import type { Contract, Fn, Param } from '../types'
import { BudgetBar } from './contract'
import { useMe, whyNot } from './contracts'
import { standing, type History } from './participants'

const about: Record<string, [string, string]> = {
  sites: ['Cluster', 'Best places for k shared sites, from all parties’ points.'],
  weighted_sites: ['Cluster, weighted', 'The same, where each row counts as often as its weight says.'],
  choose_k: ['Choose k', 'Inertia and silhouette for each number of sites: where one more gains little.'],
  cover: ['Cover', 'The fewest sites so that a share of all points lies within a radius.'],
  summary: ['Summary', 'Counts, means and quantiles of each column, over all rows.'],
  own_summary: ['Own summary', 'The same of your own rows beside all; to you alone.'],
  histogram: ['Histogram', 'Rows in bins of a column, over all parties.'],
  own_histogram: ['Own histogram', 'Your own rows in the same bins; to you alone.'],
  counts: ['Counts', 'Rows of each category.'],
  crosstab: ['Cross table', 'Two categories against one another.'],
  screen: ['Fraud screen', 'How far each of your own rows lies from what all parties’ rows look like; to you alone.'],
  rates: ['Rates', 'Where rows of a kind gather, by a kept model.'],
  correlations: ['Correlations', 'How columns move together, over all rows.'],
  coverage: ['Coverage', 'How much of all points given sites reach.'],
  market: ['Market', 'How many rows fall into each class, over all parties.'],
  own_market: ['Market, own model', 'The same, with a model trained on rows that you send along and nobody keeps.'],
  evaluate: ['Evaluate', 'How well the joint model does on rows held out.'],
  compare: ['Compare', 'The joint model against each party’s alone: what joining is worth.'],
  predict: ['Predict', 'Classes of your own rows; the answer goes to you alone.'],
  train: ['Train', 'Fits a model that stays in the contract for later runs.'],
  score: ['Score', 'Uses a kept model on your own rows; the answer goes to you alone.'],
  model: ['Model', 'Tells a kept model’s parameters, where the manifest allows it.'],
}
const hints: Record<string, string> = {
  k: 'How many sites',
  radius_km: 'How far a site reaches, in km',
  metric: 'Planar is right for a region, great-circle for the world',
  restarts: 'Starts tried; the best wins',
  max_rounds: '0: until nothing moves',
  share: 'How much of all points must be reached',
  candidates: 'Places considered',
  k_least: 'The fewest sites tried',
  k_most: 'The most sites tried',
  epsilon: 'What this answer takes of the privacy budget',
  start: 'First centroids as [[lat, lon], …]; empty: drawn from the seed',
  sites: 'Sites as [[lat, lon], …]',
  over: 'Which rows are counted',
  method: 'Kind of model',
  model: 'Entry of the run that trained it; 0: the newest',
}
export const title = (name: string): string => about[name]?.[0] ?? name.replaceAll('_', ' ')

// NULL when the text is a value of the parameter; else why not, with what is allowed.
export function wrong(p: Param, text: string): string | null {
  const t = text.trim()
  if (p.type === 'points') return t === '' ? (p.name === 'sites' ? 'Give the sites as [[lat, lon], …]' : null) : pointsWrong(p, t)
  if (p.type === 'choice' || p.type === 'bool') return null
  const range = `between ${p.min} and ${p.max}`
  if (t === '') return p.default === undefined ? `A number ${range} is needed` : null
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(t)) return `This is not a number; give one ${range}`
  const v = Number(t)
  if (p.type === 'int' && !/^[-+]?\d+$/.test(t)) return `A whole number ${range} is needed`
  return v < Number(p.min) || v > Number(p.max) ? `Out of range; give a number ${range}` : null
}
function pointsWrong(p: Param, t: string): string | null {
  try {
    const v: unknown = JSON.parse(t)
    const fine =
      Array.isArray(v) &&
      v.length > 0 &&
      v.length <= (p.max_items ?? 1024) &&
      v.every((q) => Array.isArray(q) && q.length === (p.dims ?? 2) && q.every((x) => typeof x === 'number'))
    return fine ? null : `A list of up to ${p.max_items} pairs [latitude, longitude] is needed`
  } catch {
    return 'This is not of the form [[lat, lon], …]'
  }
}

// k is bounded by the form and by the agreed minimum: a site must rest on so many rows.
const bounded = (p: Param): Param => (p.name === 'k' ? { ...p, min: Math.max(2, p.min ?? 2), max: Math.min(200, p.max ?? 200) } : p)

function ParamField({ p, value, error, set }: { p: Param; value: string; error: string | null; set: (v: string) => void }): JSX.Element {
  const range = p.min !== undefined ? ` (${p.min} to ${count(Number(p.max))})` : ''
  return (
    <Field label={p.name.replaceAll('_', ' ')} hint={`${hints[p.name] ?? ''}${range}`} error={error ?? undefined}>
      {(a) =>
        p.type === 'choice' ? (
          <select {...a} name={p.name} value={value} onChange={(e) => set(e.currentTarget.value)}>
            {p.choices!.map((c) => (
              <option key={c}>{c}</option>
            ))}
          </select>
        ) : p.type === 'bool' ? (
          <select {...a} name={p.name} value={value} onChange={(e) => set(e.currentTarget.value)}>
            <option>true</option>
            <option>false</option>
          </select>
        ) : p.type === 'points' ? (
          <textarea {...a} name={p.name} rows={2} value={value} onInput={(e) => set(e.currentTarget.value)} />
        ) : (
          <input {...a} name={p.name} inputMode="decimal" autocomplete="off" value={value} onInput={(e) => set(e.currentTarget.value)} />
        )
      }
    </Field>
  )
}

function RunForm({
  place,
  contract,
  fn,
  used,
  query,
  me,
}: {
  place: string
  contract: Contract
  fn: Fn
  used: number
  query: URLSearchParams
  me: string | undefined
}): JSX.Element {
  const m = contract.manifest
  const params = fn.params.map((p) => bounded(p))
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries(query.get('k') ? [['k', query.get('k')!]] : []))
  const [seed, setSeed] = useState('')
  const [file, setFile] = useState<{ id: string; name: string } | null>(null)
  const [map, setMap] = useState('')
  const [shown, setShown] = useState(false)
  const [busy, setBusy] = useState(false)
  const t = trust.use()
  const valueOf = (p: Param): string => values[p.name] ?? (p.default === undefined ? '' : String(p.default))
  const errors = Object.fromEntries(params.map((p) => [p.name, wrong(p, valueOf(p))]))
  const seedWrong = seed && !/^[0-9a-f]{64}$/.test(seed) ? '64 hex digits (0-9, a-f), or nothing' : null
  const bad = Object.values(errors).some((e) => e) || !!seedWrong || (!!fn.rows && !file)
  const left = m.quotas.runs_per_party - used
  const epsilon = fn.private ? Number(values.epsilon ?? fn.params.find((p) => p.name === 'epsilon')?.default ?? 0) : 0
  const budget = fn.private ? (contract.facts.privacy?.epsilon ?? 0) - (contract.facts.privacy?.spent ?? 0) : 0
  const why =
    whyNot(t?.trust, contract, me, 'run') ||
    (left <= 0 ? 'your runs are used up' : '') ||
    (epsilon > budget + 1e-9 ? `the privacy budget has ε ${budget.toPrecision(4)} left, and this asks ε ${epsilon}` : '')
  const given = params.filter((p) => valueOf(p) !== '').map((p) => `${p.name}=${valueOf(p).trim().replace(/\s+/g, '')}`)
  const line = `apex run ${contract.address} ${fn.name} ${given.map((g) => `--param ${/[[\]]/.test(g) ? `'${g}'` : g}`).join(' ')}${file ? ` --rows ${file.name}` : ''}${map ? ` --map ${map}` : ''}${seed ? ` --seed ${seed}` : ''} -o result.json`
  const submit = async (e: SubmitEvent): Promise<void> => {
    e.preventDefault()
    setShown(true)
    if (bad || why || busy) return
    setBusy(true)
    try {
      const j = await api.start(place, {
        act: 'run',
        address: contract.address,
        function: fn.name,
        params: given,
        ...(seed ? { seed } : {}),
        ...(file ? { file: file.id } : {}),
        ...(map ? { map } : {}),
      })
      go(link(place, 'run', contract.address, String(j.id)))
    } catch (x) {
      complain(x)
      setBusy(false)
    }
  }
  const take = async (f: File): Promise<void> => {
    try {
      const up = await api.upload(place, f.name, f, () => undefined, new AbortController().signal)
      setFile(up)
    } catch (x) {
      complain(x)
    }
  }
  return (
    <form
      class="card"
      onSubmit={(e) => void submit(e)}
      onKeyDown={(e) => {
        if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) e.currentTarget.requestSubmit()
      }}
      noValidate
    >
      <h2>{title(fn.name)}</h2>
      <p class="dim">{about[fn.name]?.[1]}</p>
      <div class="form-grid">
        {params.map((p) => (
          <ParamField
            key={p.name}
            p={p}
            value={valueOf(p)}
            error={shown || values[p.name] !== undefined ? errors[p.name]! : null}
            set={(v) => setValues({ ...values, [p.name]: v })}
          />
        ))}
        <Field
          label="seed"
          hint="Empty: drawn at random. The same seed and rows give the same answer, to the byte."
          error={seedWrong ?? undefined}
        >
          {(a) => <input {...a} name="seed" value={seed} onInput={(e) => setSeed(e.currentTarget.value.trim())} autocomplete="off" />}
        </Field>
        {fn.rows && (
          <Field
            label={`your own rows (${fn.rows})`}
            hint={
              file
                ? `${file.name}: sealed for this run alone, told to nobody`
                : 'Sealed for this run alone; the answer about them goes to you only'
            }
            error={shown && !file ? 'Choose a file' : undefined}
          >
            {(a) => (
              <input
                {...a}
                type="file"
                onChange={(e) => {
                  const f = e.currentTarget.files?.[0]
                  if (f) void take(f)
                }}
              />
            )}
          </Field>
        )}
        {fn.rows && (
          <Field label="mapping of its columns" hint="Only where its columns are not named as the dataset’s: latitude=lat,longitude=lng">
            {(a) => <input {...a} value={map} onInput={(e) => setMap(e.currentTarget.value)} autocomplete="off" />}
          </Field>
        )}
      </div>
      <p class="cost">
        <Icon name="info" /> Told to{' '}
        {fn.release === 'requester'
          ? 'you alone'
          : m.parties
              .filter((p) => p.may.includes('receive'))
              .map((p) => p.name)
              .join(', ')}
        . {count(left)} of {count(m.quotas.runs_per_party)} runs left to you. At most {m.quotas.cpu_seconds} s of computing. Each told
        number rests on at least {m.release.minimum_rows} rows of {m.release.minimum_contributors} parties.
        {fn.private && <> This answer is private: its ε is taken from the budget before it is told.</>}
      </p>
      {fn.private && <BudgetBar facts={contract.facts} />}
      <div class="row wrap">
        <button type="submit" class="primary" disabled={why !== '' || busy}>
          Run
        </button>
        <span class="dim">Ctrl + Enter</span>
      </div>
      {why && (
        <p class="warning">
          <Icon name="warn" /> Running is off: {why}.
        </p>
      )}
      <Command line={line} />
    </form>
  )
}

export function Analyse({ route }: { route: Route }): JSX.Element {
  const { place, id, query } = route
  const asked = useContract(place, id)
  const history = useAct<History>(place, { act: 'audit', address: id })
  const me = useMe(place)
  const c = asked.contract
  if (asked.error && !c) return <TroubleBox trouble={asked.error} onRetry={asked.reload} />
  if (!c) return <Loading what="Reading the contract" />
  const fn = c.manifest.functions.find((f) => f.name === query.get('function')) ?? c.manifest.functions[0]!
  const events = history.value?.events ?? []
  const mine = c.manifest.parties.find((p) => p.sign === me.value?.sign)?.name ?? ''
  const givers = c.manifest.parties.filter((p) => standing(events, p.name).length > 0).map((p) => p.name)
  return (
    <section>
      <header class="page-head">
        <h1>Analyse</h1>
        <p class="dim">
          {c.facts.name}. {givers.length ? `Rows are there from ${givers.join(', ')}.` : 'Nobody has contributed yet.'}
        </p>
      </header>
      <nav class="functions" aria-label="Computations">
        {c.manifest.functions.map((f) => (
          <a
            key={f.name}
            class="card"
            href={link(place, 'analyse', id, '', { function: f.name })}
            aria-current={f === fn ? 'true' : undefined}
            onClick={(e) => {
              e.preventDefault()
              setQuery({ function: f.name })
            }}
          >
            <strong>{title(f.name)}</strong>
            <span class="dim">{about[f.name]?.[1] ?? f.datasets.join(', ')}</span>
          </a>
        ))}
      </nav>
      <RunForm
        key={fn.name}
        place={place}
        contract={c}
        fn={fn}
        query={query}
        me={me.value?.sign}
        used={events.filter((e) => e.kind === 'run' && e.who === mine).length}
      />
    </section>
  )
}
