import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { BarTable, LineChart, type Bar } from '../charts'
import { count, percent } from '../format'
import { Empty, Stat } from '../parts'
import { cells, delimiterOf } from '../rows'
import { complain } from '../store'
import type { ClassAnswer, Figures } from '../types'
import type { Provenance } from './result'

const figure: [keyof Figures, string][] = [
  ['accuracy', 'accuracy'],
  ['balanced_accuracy', 'balanced accuracy'],
  ['roc_auc', 'ROC AUC'],
  ['r2', 'R²'],
  ['rmse', 'RMSE'],
  ['mae', 'MAE'],
]
const show = (v: number): string => (Math.abs(v) < 10 ? v.toFixed(4) : count(v))

function Confusion({ a }: { a: ClassAnswer }): JSX.Element {
  const names = (a.classes ?? []).map((c) => c.class)
  const m = a.confusion!
  const top = Math.max(...m.flat().map((v) => v ?? 0), 1)
  const sum = m.flat().reduce<number>((s, v) => s + (v ?? 0), 0)
  const hidden = m.flat().filter((v) => v === null).length
  return (
    <section class="card">
      <h2>Confusion matrix</h2>
      <div class="table-box" tabIndex={0} role="region" aria-label="Confusion matrix">
        <table class="confusion">
          <caption>
            True class down, predicted class across. {count(sum)} of {count(a.holdout_rows ?? sum)} test rows are told
            {hidden ? `; ${hidden} cells are suppressed` : ''}.
          </caption>
          <thead>
            <tr>
              <td />
              {names.map((n) => (
                <th key={n} scope="col">
                  {n}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {m.map((row, i) => (
              <tr key={i}>
                <th scope="row">{names[i] ?? i}</th>
                {row.map((v, k) => (
                  <td key={k} class="number" data-cell={v ?? ''}>
                    <svg viewBox="0 0 10 10" preserveAspectRatio="none" aria-hidden="true">
                      <rect width="10" height="10" class={i === k ? 'right' : 'not-right'} opacity={v ? 0.12 + 0.6 * (v / top) : 0} />
                    </svg>
                    <span>{v === null ? '–' : count(v)}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Alone({ p, a }: { p: Provenance; a: ClassAnswer }): JSX.Element {
  const keys = figure.filter(([k]) => a.pooled?.[k] != null)
  const name = (i: number): string => p.manifest.parties[i]?.name ?? `party ${i + 1}`
  return (
    <section class="card" data-testid="alone">
      <h2>Alone and together</h2>
      <p class="dim">The same held-out rows, judged by the joint model and by each party’s own.</p>
      {keys.map(([k, text]) => {
        const bars: Bar[] = [
          { key: 'pooled', name: 'all together', value: a.pooled![k]! },
          ...(a.alone ?? [])
            .filter((x) => x[k] != null)
            .map((x) => ({ key: String(x.party), name: `${name(x.party)} alone`, value: x[k]! })),
        ]
        return <BarTable key={k} bars={bars} show={show} label={text} head={['Model of', text]} />
      })}
      {(a.alone ?? [])
        .filter((x) => x.suppressed ?? x.failed)
        .map((x) => (
          <p key={x.party} class="dim">
            {name(x.party)}: {x.suppressed ?? x.failed}
          </p>
        ))}
    </section>
  )
}

// A threshold on scores of one's own rows. Precision and recall need their true classes, which stay here too.
function Threshold({ a, truth, positive }: { a: ClassAnswer; truth: string[] | null; positive: string }): JSX.Element {
  const scores = useMemo(() => (a.predictions ?? []).filter((q) => q.score !== undefined), [a])
  const [cut, setCut] = useState(0.5)
  const flagged = scores.filter((q) => q.score! >= cut)
  const is = (row: number): boolean => truth?.[row - 1] === positive
  const hits = truth ? flagged.filter((q) => is(q.row)).length : 0
  const all = truth ? scores.filter((q) => is(q.row)).length : 0
  const curve = useMemo(() => {
    if (!truth) return []
    const sorted = [...scores].sort((x, y) => y.score! - x.score!)
    const pos = sorted.filter((q) => is(q.row)).length || 1
    const neg = sorted.length - pos || 1
    let tp = 0
    return sorted.map((q, i) => {
      if (is(q.row)) tp++
      return { x: (i + 1 - tp) / neg, y: tp / pos, precision: tp / (i + 1), name: `${i}` }
    })
  }, [scores, truth])
  const thin = curve.filter((_, i) => i % Math.max(1, Math.ceil(curve.length / 160)) === 0 || i === curve.length - 1)
  return (
    <section class="card">
      <h2>Threshold</h2>
      <label for="cut">
        Flag a row when its score is at least <strong>{cut.toFixed(2)}</strong>
      </label>
      <input id="cut" type="range" min="0" max="1" step="0.01" value={cut} onInput={(e) => setCut(Number(e.currentTarget.value))} />
      <div class="stats" data-testid="threshold">
        <Stat value={count(flagged.length)} name={`of ${count(scores.length)} rows flagged`} />
        {truth && (
          <>
            <Stat value={flagged.length ? percent(hits / flagged.length) : '–'} name="precision" />
            <Stat value={all ? percent(hits / all) : '–'} name="recall" />
          </>
        )}
      </div>
      {truth && (
        <div class="row wrap">
          <LineChart spots={thin} label="ROC curve of your own rows" xName="false positive share" yName="recall" />
          <LineChart
            spots={thin.map((s) => ({ x: s.y, y: s.precision, name: s.name }))}
            label="Precision by recall of your own rows"
            xName="recall"
            yName="precision"
          />
        </div>
      )}
    </section>
  )
}

function Predictions({ a }: { a: ClassAnswer }): JSX.Element {
  const rows = a.predictions ?? []
  const [truth, setTruth] = useState<string[] | null>(null)
  const [table, setTable] = useState<string[][] | null>(null)
  const [column, setColumn] = useState(-1)
  const classes = [...new Set(rows.map((r) => r.class).filter((c): c is string => c !== undefined))].sort()
  const known = truth ? [...new Set(truth)].sort() : []
  const [positive, setPositive] = useState('')
  const pick = (i: number, t = table): void => {
    setColumn(i)
    setTruth(i >= 0 && t ? t.slice(1).map((r) => r[i] ?? '') : null)
  }
  const load = async (f: File): Promise<void> => {
    try {
      const text = await f.text()
      const t = cells(text, delimiterOf(text), 2e6)
      setTable(t)
      pick(-1, t)
    } catch (e) {
      complain(e)
    }
  }
  const positiveNow = positive || (known.length ? known[known.length - 1]! : (classes[classes.length - 1] ?? ''))
  const right = truth ? rows.filter((r) => truth[r.row - 1] === r.class).length : 0
  return (
    <>
      <section class="card">
        <h2>Your own rows</h2>
        <p class="dim">This answer was sealed to you alone.</p>
        {classes.length > 0 && (
          <BarTable
            bars={classes
              .map((c) => ({ key: c, name: c, value: rows.filter((r) => r.class === c).length }))
              .sort((x, y) => y.value - x.value)}
            show={count}
            label="Rows per predicted class"
            head={['Class', 'Rows']}
          />
        )}
        <details>
          <summary>Compare with what you know: your file with the true classes stays in this page</summary>
          <input
            type="file"
            aria-label="Your file with true classes"
            onChange={(e) => {
              const f = e.currentTarget.files?.[0]
              if (f) void load(f)
            }}
          />
          {table && (
            <div class="row wrap">
              <div class="field">
                <label for="truth">Column with the truth</label>
                <select id="truth" value={String(column)} onChange={(e) => pick(Number(e.currentTarget.value))}>
                  <option value="-1">choose…</option>
                  {table[0]!.map((h, i) => (
                    <option key={i} value={String(i)}>
                      {h}
                    </option>
                  ))}
                </select>
              </div>
              {truth && (
                <div class="field">
                  <label for="positive">Positive class</label>
                  <select id="positive" value={positiveNow} onChange={(e) => setPositive(e.currentTarget.value)}>
                    {known.slice(0, 50).map((c) => (
                      <option key={c}>{c}</option>
                    ))}
                  </select>
                </div>
              )}
            </div>
          )}
          {truth && (
            <p>
              {count(right)} of {count(rows.length)} right: {percent(right / Math.max(1, rows.length))}
            </p>
          )}
        </details>
        <details>
          <summary>The first rows</summary>
          <div class="table-box">
            <table>
              <thead>
                <tr>
                  <th scope="col">row</th>
                  <th scope="col">{rows[0]?.value !== undefined ? 'value' : 'class'}</th>
                  <th scope="col">score</th>
                </tr>
              </thead>
              <tbody>
                {rows.slice(0, 100).map((r) => (
                  <tr key={r.row}>
                    <td>{r.row}</td>
                    <td>{r.class ?? r.value}</td>
                    <td>{r.score?.toFixed(4)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      </section>
      {rows.some((r) => r.score !== undefined) && <Threshold a={a} truth={truth} positive={positiveNow} />}
    </>
  )
}

export function Model({ p, answer: a }: { p: Provenance; answer: ClassAnswer }): JSX.Element {
  const told = (a.classes ?? []).filter((c) => c.rows !== undefined)
  return (
    <>
      <div class="stats">
        {a.model && <Stat value={a.model.replaceAll('-', ' ')} name="model" />}
        {a.training_rows !== undefined && <Stat value={count(a.training_rows)} name="rows trained" />}
        {a.holdout_rows !== undefined && <Stat value={count(a.holdout_rows)} name="test rows" />}
        {figure
          .filter(([k]) => a[k] != null)
          .map(([k, text]) => (
            <div key={k} class="stat" data-figure={k}>
              <strong>{show(a[k]!)}</strong>
              <span class="dim">{text}</span>
            </div>
          ))}
        {a.average_precision != null && <Stat value={show(a.average_precision)} name="average precision" />}
      </div>
      {a.pooled && <Alone p={p} a={a} />}
      {a.confusion && <Confusion a={a} />}
      {a.predictions && <Predictions a={a} />}
      {told.length > 0 && !a.pooled && (
        <section class="card">
          <h2>Predicted classes of the test rows</h2>
          <BarTable
            bars={[...told]
              .sort((x, y) => y.rows! - x.rows!)
              .slice(0, 20)
              .map((c) => ({ key: c.class, name: c.class, value: c.rows! }))}
            show={count}
            label="Rows per predicted class"
            head={['Class', 'Rows']}
          />
          {(a.suppressed_classes ?? 0) > 0 && (
            <p class="dim">
              {a.suppressed_classes} classes are suppressed: fewer than {p.manifest.release.minimum_rows} rows, or of too few parties.
            </p>
          )}
        </section>
      )}
      {!a.pooled && !a.confusion && !a.predictions && told.length === 0 && a.accuracy === undefined && (
        <Empty icon="models" title="Nothing to draw">
          <p>See “As JSON” for all that was told.</p>
        </Empty>
      )}
    </>
  )
}
