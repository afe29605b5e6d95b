// Answers without a picture of their own: numbers as figures, lists as tables, the rest below one another.
import type { ComponentChildren, JSX } from 'preact'
import { LineChart } from '../charts'
import { count } from '../format'
import { Stat } from '../parts'
import { link } from '../router'
import type { Provenance } from './result'

export interface Chosen {
  function: string
  k: { k: number; inertia: number; silhouette?: number }[]
  elbow: number
  best_silhouette?: number
  rows: number
  inertia_unit: string
}

export function ChooseK({ p, answer: a }: { p: Provenance; answer: Chosen }): JSX.Element {
  const ask = (k: number): JSX.Element => (
    <a class="button" href={link(p.place, 'analyse', p.address, '', { function: 'sites', k: String(k) })}>
      Ask for {k} sites
    </a>
  )
  const silhouettes = a.k.filter((x) => x.silhouette !== undefined)
  return (
    <>
      <div class="stats">
        <Stat value={count(a.rows)} name="rows of all parties" />
        <Stat value={String(a.elbow)} name="sites: beyond, one more gains little" />
        {a.best_silhouette !== undefined && <Stat value={String(a.best_silhouette)} name="sites stand most apart" />}
      </div>
      <div class="row wrap top">
        <section class="card grow">
          <h2>Inertia</h2>
          <LineChart
            spots={a.k.map((x) => ({ x: x.k, y: x.inertia, name: `k = ${x.k}` }))}
            label="Inertia by number of sites"
            xName="k"
            yName={a.inertia_unit}
            marked={a.elbow}
          />
        </section>
        {silhouettes.length > 1 && (
          <section class="card grow">
            <h2>Silhouette</h2>
            <LineChart
              spots={silhouettes.map((x) => ({ x: x.k, y: x.silhouette!, name: `k = ${x.k}` }))}
              label="Mean silhouette by number of sites"
              xName="k"
              yName="mean silhouette"
              marked={a.best_silhouette}
            />
          </section>
        )}
      </div>
      <div class="row wrap">
        {ask(a.elbow)}
        {a.best_silhouette !== undefined && a.best_silhouette !== a.elbow && ask(a.best_silhouette)}
      </div>
    </>
  )
}

type Tree = { [key: string]: unknown }
const isTree = (v: unknown): v is Tree => typeof v === 'object' && v !== null && !Array.isArray(v)
const word = (key: string): string => key.replaceAll('_', ' ')

export function value(v: unknown): ComponentChildren {
  if (v === null || v === undefined) return <span class="dim">not told</span>
  if (typeof v === 'number')
    return Number.isInteger(v) ? count(v) : Number(v.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 10 })
  if (Array.isArray(v))
    return v.every((x) => typeof x !== 'object' || x === null) ? (
      v.map((x, i) => (
        <span key={i}>
          {i > 0 && ', '}
          {value(x)}
        </span>
      ))
    ) : (
      <Table rows={v} />
    )
  return isTree(v) ? <Plain answer={v} /> : String(v)
}

function Table({ rows }: { rows: unknown[] }): JSX.Element {
  const columns = [...new Set(rows.flatMap((r) => (isTree(r) ? Object.keys(r) : [])))]
  if (columns.length === 0)
    return (
      <table>
        <tbody>
          {rows.map((r, i) => (
            <tr key={i}>
              {(Array.isArray(r) ? r : [r]).map((c, k) => (
                <td key={k} class="number">
                  {value(c)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    )
  return (
    <table>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c} scope="col">
              {word(c)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, 500).map((r, i) => (
          <tr key={i}>
            {columns.map((c) => (
              <td key={c} class={typeof (r as Tree)[c] === 'number' ? 'number' : ''}>
                {c in (r as Tree) ? value((r as Tree)[c]) : ''}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

export function Plain({ answer }: { answer: object }): JSX.Element {
  const all = Object.entries(answer).filter(([k]) => k !== 'function')
  const small = all.filter(([, v]) => typeof v !== 'object' || v === null)
  return (
    <>
      {small.length > 0 && (
        <div class="stats">
          {small.map(([k, v]) => (
            <div key={k} class="stat">
              <strong>{value(v)}</strong>
              <span class="dim">{word(k)}</span>
            </div>
          ))}
        </div>
      )}
      {all
        .filter(([, v]) => typeof v === 'object' && v !== null)
        .map(([k, v]) => (
          <section key={k} class="card table-box" tabIndex={0} aria-label={word(k)}>
            <h2>{word(k)}</h2>
            {value(v)}
          </section>
        ))}
    </>
  )
}
