// The third step: what libapex made of every row, and the owner’s own points to look at.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { count } from '../format'
import { Map } from '../map/map'
import { project } from '../map/points'
import { boxOf } from '../map/projection'
import { Command, Icon } from '../parts'
import { type Rows } from '../rows'
import type { BadRow, Report } from '../types'
import { download } from '../map/save'
import type { Chosen } from './contribute_choose'

export interface Checked {
  report: Report
  rows: Rows | null
  again: number
  line: string
  took: number
}

const groupBad = (bad: BadRow[]): [string, BadRow[]][] => {
  const groups: Record<string, BadRow[]> = {}
  for (const b of bad) (groups[`${b.column || 'row'}: ${b.reason}`] ??= []).push(b)
  return Object.entries(groups)
}

function Histogram({ values, name }: { values: Float64Array; name: string }): JSX.Element {
  const bins = 24
  const { counts, low, high } = useMemo(() => {
    let a = Infinity,
      b = -Infinity
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
      <svg
        viewBox={`0 0 ${bins * 10} 60`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Spread of ${name} from ${low.toFixed(3)} to ${high.toFixed(3)}`}
      >
        {counts.map((c, i) => (
          <rect key={i} x={i * 10 + 1} y={58 - (c / top) * 56} width={8} height={(c / top) * 56 + 1} />
        ))}
      </svg>
      <figcaption class="dim small-text">
        {name}: {low.toFixed(4)} to {high.toFixed(4)}
      </figcaption>
    </figure>
  )
}

export function CheckStep({
  chosen,
  checked,
  onSeal,
  onAgain,
}: {
  chosen: Chosen
  checked: Checked
  onSeal: () => void
  onAgain: () => void
}): JSX.Element {
  const { report, rows } = checked
  const points = useMemo(() => (rows?.latitude ? project(rows.latitude, rows.longitude!) : null), [rows])
  const box = useMemo(() => (rows?.latitude ? boxOf(rows.latitude, rows.longitude!) : null), [rows])
  const good = report.bad_rows === 0
  const rejected = (): void => {
    const guard = (v: string): string => `"${(/^[=+\-@]/.test(v) ? `'${v}` : v).replaceAll('"', '""')}"`
    download(
      `rejected-${chosen.name}.csv`,
      [
        'row,line,column,value,reason',
        ...report.bad.map((b) => [b.row, b.line, guard(b.column), guard(b.value), guard(b.reason)].join(',')),
      ].join('\n'),
      'text/csv',
    )
  }
  return (
    <div class="card" data-testid="checked">
      <div class="stats">
        <div class="stat good">
          <strong>{count(report.rows)}</strong>
          <span class="dim">rows ok</span>
        </div>
        <div class="stat">
          <strong>{count(checked.again)}</strong>
          <span class="dim">places that occur again</span>
        </div>
        <div class={`stat ${good ? '' : 'bad'}`}>
          <strong>{count(report.bad_rows)}</strong>
          <span class="dim">bad rows</span>
        </div>
        <div class="stat">
          <strong>{(checked.took / 1000).toFixed(2)} s</strong>
          <span class="dim">to check, on this machine</span>
        </div>
      </div>
      {report.ignored_columns && (
        <p>
          <Icon name="shield" /> Left out, never sent: <strong>{report.ignored_columns}</strong>
        </p>
      )}
      {good ? (
        <>
          {points && (
            <Map
              label={`Your own ${count(points.n)} points`}
              points={points}
              box={box}
              legend={[{ colour: 'point', text: 'your own points; brighter where there are many' }]}
            />
          )}
          {rows?.latitude && (
            <div class="row wrap">
              <Histogram values={rows.latitude} name="latitude" />
              <Histogram values={rows.longitude!} name="longitude" />
            </div>
          )}
          {box && (
            <p class="dim">
              Bounding box: {box.south.toFixed(4)} to {box.north.toFixed(4)} north, {box.west.toFixed(4)} to {box.east.toFixed(4)} east.
              {checked.again > 0 ? ' Places that occur again are kept: several customers may live at one address.' : ''}
            </p>
          )}
          <div class="row">
            <button type="button" class="primary" onClick={onSeal}>
              Go on to seal
            </button>
            <button type="button" onClick={onAgain}>
              Choose another file
            </button>
          </div>
        </>
      ) : (
        <>
          <p>Nothing was sent. Correct the rows below in your file, or take them out, and choose it again.</p>
          {groupBad(report.bad).map(([what, rows_]) => (
            <details key={what} open>
              <summary>
                {what} <span class="tag">{rows_.length}</span>
              </summary>
              <div class="table-box">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">row</th>
                      <th scope="col">line</th>
                      <th scope="col">column</th>
                      <th scope="col">found</th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows_.map((b) => (
                      <tr key={b.row} data-bad={b.row}>
                        <td>{b.row}</td>
                        <td>{b.line}</td>
                        <td>{b.column}</td>
                        <td>
                          <code>{b.value}</code>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </details>
          ))}
          {report.bad_rows > report.bad.length && (
            <p class="dim">
              The first {report.bad.length} of {count(report.bad_rows)} are shown.
            </p>
          )}
          <div class="row">
            <button type="button" onClick={rejected}>
              Download the list
            </button>
            <button type="button" class="primary" onClick={onAgain}>
              Choose another file
            </button>
          </div>
        </>
      )}
      <Command line={checked.line} />
    </div>
  )
}
