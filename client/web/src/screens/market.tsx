import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { BarTable, type Bar } from '../charts'
import { count, percent, regionName } from '../format'
import { Map } from '../map/map'
import { Stat } from '../parts'
import type { ClassAnswer } from '../types'
import { useOwnRows } from './own'
import { caption, stem, type Provenance } from './result'

// Natural Earth's names where they are not the region's common one.
const sameName: Record<string, string> = {
  'United States of America': 'United States',
  'Dem. Rep. Congo': 'Congo - Kinshasa',
  Congo: 'Congo - Brazzaville',
  'Dominican Rep.': 'Dominican Republic',
  'W. Sahara': 'Western Sahara',
  'Central African Rep.': 'Central African Republic',
  "Côte d'Ivoire": 'Côte d’Ivoire',
  'Eq. Guinea': 'Equatorial Guinea',
  eSwatini: 'Eswatini',
  'Solomon Is.': 'Solomon Islands',
  'Bosnia and Herz.': 'Bosnia & Herzegovina',
  Macedonia: 'North Macedonia',
  'S. Sudan': 'South Sudan',
  Myanmar: 'Myanmar (Burma)',
  Palestine: 'Palestinian Territories',
  Turkey: 'Türkiye',
  'Falkland Is.': 'Falkland Islands',
  'Trinidad and Tobago': 'Trinidad & Tobago',
  'Fr. S. Antarctic Lands': 'French Southern Territories',
}
const TOP = 20

export function Market({ p, answer }: { p: Provenance; answer: ClassAnswer }): JSX.Element {
  const [shareShown, setShare] = useState(false)
  const [search, setSearch] = useState('')
  const [all, setAll] = useState(false)
  const own = useOwnRows(p.place, p.address, p.manifest.functions.find((f) => f.name === p.fn)?.datasets ?? [])
  const classes = answer.classes ?? []
  const rows = answer.rows ?? 0
  const ownCounts = useMemo(() => {
    const counts = new globalThis.Map<string, number>()
    for (const l of own.rows?.label ?? []) counts.set(l, (counts.get(l) ?? 0) + 1)
    return counts
  }, [own.rows])
  const places = classes.every((c) => /^[A-Z]{2}$/.test(c.class))
  const told = useMemo(
    () => classes.filter((c) => c.rows !== undefined).sort((a, b) => b.rows! - a.rows! || (a.class < b.class ? -1 : 1)),
    [classes],
  )
  const hidden = classes.filter((c) => c.suppressed)
  const nHidden = answer.suppressed_classes ?? hidden.length // some of them may have no name here
  const toldSum = told.reduce((s, c) => s + c.rows!, 0)
  const label = (code: string): string => (places ? `${regionName(code)} (${code})` : code)
  const found = told.filter((c) => label(c.class).toLowerCase().includes(search.toLowerCase()))
  const shown = all || search ? found : found.slice(0, TOP)
  const rest = search ? [] : found.slice(shown.length)
  const bar = (key: string, name: string, value: number, mine?: number): Bar => ({
    key,
    name,
    value,
    own: own.rows?.label ? (mine ?? 0) : undefined,
  })
  const bars: Bar[] = shown.map((c) => bar(c.class, label(c.class), c.rows!, ownCounts.get(c.class)))
  if (rest.length)
    bars.push(
      bar(
        'others',
        `${rest.length} others`,
        rest.reduce((s, c) => s + c.rows!, 0),
        rest.reduce((s, c) => s + (ownCounts.get(c.class) ?? 0), 0),
      ),
    )
  if (!search && nHidden) bars.push(bar('hidden', `${nHidden} suppressed`, Math.max(0, rows - toldSum))) // told may be rounded
  const total = rows || 1
  const shade = useMemo(() => {
    if (!places) return null
    const byName = new globalThis.Map(told.map((c) => [regionName(c.class), c.rows!]))
    const top = Math.log1p(told[0]?.rows ?? 1)
    return (name: string): string | null => {
      const n = byName.get(sameName[name] ?? name)
      return n === undefined ? null : `rgba(13, 148, 136, ${(0.12 + 0.8 * (Math.log1p(n) / top)).toFixed(3)})`
    }
  }, [told, places])
  return (
    <>
      <div class="stats">
        <Stat value={count(rows)} name="rows counted" />
        <Stat value={String(told.length)} name="classes told" />
        <Stat value={String(nHidden)} name={`suppressed: fewer than ${p.manifest.release.minimum_rows} rows, or of one party`} />
        <Stat value={answer.training_rows === undefined ? '' : count(answer.training_rows)} name={`rows trained ${answer.model ?? ''}`} />
      </div>
      <div class="split wide-right">
        {places && (
          <Map
            label={`World map, ${told.length} countries shaded by rows`}
            box={null}
            shade={shade}
            fileName={stem(p)}
            caption={caption(p)}
            legend={[{ colour: 'site', text: 'more rows, darker (logarithmic)' }]}
          />
        )}
        <div class="card">
          <div class="row wrap between">
            <div class="field inline">
              <label for="find">Find</label>
              <input id="find" type="search" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
            </div>
            <fieldset class="group" aria-label="Shown as">
              <label class="check">
                <input type="radio" name="as" checked={!shareShown} onChange={() => setShare(false)} />
                count
              </label>
              <label class="check">
                <input type="radio" name="as" checked={shareShown} onChange={() => setShare(true)} />
                percent
              </label>
            </fieldset>
          </div>
          <BarTable
            bars={bars}
            show={(v) => (shareShown ? percent(v / total, 2) : count(v))}
            label="Rows per class"
            head={[places ? 'Country' : 'Class', shareShown ? 'Share' : 'Rows']}
            ownHead={own.rows?.label ? 'of these yours' : undefined}
          />
          {!search && found.length > TOP && (
            <button type="button" class="small" onClick={() => setAll(!all)}>
              {all ? `Top ${TOP} only` : `All ${found.length}`}
            </button>
          )}
          {nHidden > 0 && (
            <details>
              <summary>{nHidden} suppressed classes, and why</summary>
              <ul class="plain small-text">
                {hidden.map((c) => (
                  <li key={c.class} data-hidden={c.class}>
                    {label(c.class)}: {c.suppressed}
                  </li>
                ))}
                {nHidden > hidden.length && <li>{nHidden - hidden.length} more, which too few rows have for a name</li>}
              </ul>
            </details>
          )}
        </div>
      </div>
    </>
  )
}
