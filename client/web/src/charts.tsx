// Charts as SVG, each with a table of the same numbers.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

export interface Bar {
  key: string
  name: string
  value: number
  own?: number
  note?: string
}

// Sorted by whoever gives them. The bars are the table: one row each, so nothing is said twice.
export function BarTable({
  bars,
  show,
  label,
  head,
  ownHead,
}: {
  bars: Bar[]
  show: (v: number) => string
  label: string
  head: [string, string]
  ownHead?: string
}): JSX.Element {
  const top = Math.max(...bars.map((b) => b.value), 1e-12)
  return (
    <div class="table-box">
      <table class="bars" aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{head[0]}</th>
            <th scope="col" class="number">
              {head[1]}
            </th>
            <th scope="col" aria-hidden="true" class="bar-cell" />
            {ownHead && (
              <th scope="col" class="number">
                {ownHead}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {bars.map((b) => (
            <tr key={b.key} data-bar={b.key} data-value={b.value}>
              <th scope="row">{b.name}</th>
              <td class="number">{show(b.value)}</td>
              <td class="bar-cell" aria-hidden="true">
                <svg viewBox="0 0 100 10" preserveAspectRatio="none">
                  <rect class="bar-all" width={(100 * b.value) / top} height="10" />
                  {b.own !== undefined && <rect class="bar-own" width={(100 * b.own) / top} height="10" />}
                </svg>
              </td>
              {ownHead && <td class="number">{b.own === undefined ? '' : show(b.own)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export interface Spot {
  x: number
  y: number
  name: string
}

export function LineChart({
  spots,
  label,
  xName,
  yName,
  marked,
}: {
  spots: Spot[]
  label: string
  xName: string
  yName: string
  marked?: number
}): JSX.Element {
  const [table, setTable] = useState(false)
  const w = 420,
    h = 200,
    left = 56,
    bottom = 34
  const xs = spots.map((s) => s.x),
    ys = spots.map((s) => s.y)
  const x0 = Math.min(...xs),
    x1 = Math.max(...xs),
    y1 = Math.max(...ys),
    y0 = Math.min(0, ...ys)
  const px = (x: number): number => left + ((x - x0) / (x1 - x0 || 1)) * (w - left - 16)
  const py = (y: number): number => h - bottom - ((y - y0) / (y1 - y0 || 1)) * (h - bottom - 14)
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${w} ${h}`} role="img" aria-label={label}>
        {[0, 0.5, 1].map((t) => (
          <g key={t}>
            <line x1={left} x2={w - 16} y1={py(y0 + t * (y1 - y0))} y2={py(y0 + t * (y1 - y0))} class="grid-line" />
            <text x={left - 6} y={py(y0 + t * (y1 - y0)) + 4} text-anchor="end">
              {tick(y0 + t * (y1 - y0))}
            </text>
          </g>
        ))}
        <polyline points={spots.map((s) => `${px(s.x)},${py(s.y)}`).join(' ')} class="line" />
        {spots.map((s) => (
          <circle key={s.name} cx={px(s.x)} cy={py(s.y)} r={s.x === marked ? 6 : 4} class={s.x === marked ? 'spot marked' : 'spot'}>
            <title>{s.name}</title>
          </circle>
        ))}
        {xTicks(x0, x1).map((x) => (
          <text key={x} x={px(x)} y={h - bottom + 16} text-anchor="middle">
            {tick(x)}
          </text>
        ))}
        <text x={(left + w) / 2} y={h - 4} text-anchor="middle">
          {xName}
        </text>
        <text x={4} y={10}>
          {yName}
        </text>
      </svg>
      <figcaption>
        <button type="button" class="small" aria-expanded={table} onClick={() => setTable(!table)}>
          {table ? 'Hide' : 'Show'} the numbers
        </button>
      </figcaption>
      {table && (
        <div class="table-box">
          <table>
            <thead>
              <tr>
                <th scope="col">{xName}</th>
                <th scope="col">{yName}</th>
              </tr>
            </thead>
            <tbody>
              {spots.map((s) => (
                <tr key={s.name}>
                  <td>{s.x}</td>
                  <td>{s.y}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </figure>
  )
}
const tick = (v: number): string =>
  Math.abs(v) >= 10000 || (v !== 0 && Math.abs(v) < 0.01) ? v.toExponential(1) : String(Number(v.toPrecision(3)))
const xTicks = (a: number, b: number): number[] => (a === b ? [a] : [a, (a + b) / 2, b])
