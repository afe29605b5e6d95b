import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import * as api from '../api'
import { LineChart, type Spot } from '../charts'
import { count, degree, distance, percent, perUnit, units } from '../format'
import { nearest, shareWithin } from '../geo'
import { Map, siteTitle, type Marker } from '../map/map'
import { project } from '../map/points'
import { boxOf } from '../map/projection'
import { Stat } from '../parts'
import { setQuery, type Route } from '../router'
import type { ResultFile, Site, SitesAnswer } from '../types'
import { useOwnRows } from './own'
import { caption, stem, type Provenance } from './result'
import { useResults } from './results'

type Told = Site & { latitude: number; longitude: number }
export const told = (s: Site): s is Told => s.latitude !== undefined && s.longitude !== undefined
type Order = 'site' | 'rows' | 'p95_km'

// Earlier answers of the same question, for the elbow and to compare with.
function useEarlier(p: Provenance): { name: string; run: number; answer: SitesAnswer }[] {
  const { kept } = useResults(p.place)
  const [all, set] = useState<{ name: string; run: number; answer: SitesAnswer }[]>([])
  useEffect(() => {
    let here = true
    const same = (kept ?? []).filter((k) => k.address === p.address && k.function === p.fn).slice(0, 24)
    Promise.all(
      same.map(async (k) => ({ name: k.name, run: k.run, answer: (await api.result<ResultFile<SitesAnswer>>(p.place, k.name)).result })),
    ).then(
      (a) => here && set(a),
      () => undefined,
    )
    return () => {
      here = false
    }
  }, [kept])
  return all
}

function Table({
  sites,
  rows,
  chosen,
  choose,
}: {
  sites: Site[]
  rows: number | null
  chosen: number | null
  choose: (id: number | null) => void
}): JSX.Element {
  const [order, setOrder] = useState<Order>('site')
  const sorted = useMemo(
    () => [...sites].sort((a, b) => (order === 'site' ? a.site - b.site : (b[order] ?? -1) - (a[order] ?? -1))),
    [sites, order],
  )
  const head = (key: Order, text: string): JSX.Element => (
    <th scope="col" class="number" aria-sort={order === key ? (key === 'site' ? 'ascending' : 'descending') : undefined}>
      <button type="button" class="link" onClick={() => setOrder(key)}>
        {text}
      </button>
    </th>
  )
  return (
    <div class="table-box site-table" tabIndex={0} role="region" aria-label="Sites as a table">
      <table>
        <caption class="hidden">Sites</caption>
        <thead>
          <tr>
            {head('site', 'Site')}
            <th scope="col" class="number">
              Latitude
            </th>
            <th scope="col" class="number">
              Longitude
            </th>
            {head('rows', 'Rows')}
            <th scope="col" class="number share">
              Share
            </th>
            <th scope="col" class="number">
              Median
            </th>
            {head('p95_km', '95 %')}
            <th scope="col" class="number">
              Farthest
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((s) =>
            told(s) ? (
              <tr
                key={s.site}
                data-row={s.site}
                class={s.site === chosen ? 'chosen' : ''}
                onClick={() => choose(s.site === chosen ? null : s.site)}
              >
                <th scope="row" class="number">
                  <button type="button" class="link" aria-pressed={s.site === chosen} aria-label={`Show site ${s.site + 1} on the map`}>
                    {s.site + 1}
                  </button>
                </th>
                <td class="number">{degree(s.latitude)}</td>
                <td class="number">{degree(s.longitude)}</td>
                <td class="number">{s.rows === undefined ? '' : count(s.rows)}</td>
                <td class="number share">{s.rows !== undefined && rows ? percent(s.rows / rows) : ''}</td>
                <td class="number">{s.median_km == null ? '' : distance(s.median_km)}</td>
                <td class="number">{s.p95_km == null ? '' : distance(s.p95_km)}</td>
                <td class="number">{s.max_km == null ? '' : distance(s.max_km)}</td>
              </tr>
            ) : (
              <tr key={s.site} data-suppressed={s.site}>
                <th scope="row" class="number">
                  {s.site + 1}
                </th>
                <td colSpan={7} class="dim">
                  {s.suppressed}
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  )
}

export function Clusters({ p, answer, route }: { p: Provenance; answer: SitesAnswer; route: Route }): JSX.Element {
  const chosen = route.query.get('site') === null ? null : Number(route.query.get('site'))
  const choose = (id: number | null): void => setQuery({ site: id === null ? null : String(id) })
  const radius = Number(route.query.get('radius')) || answer.radius_km
  const compare = route.query.get('compare')
  const dataset = p.manifest.functions.find((f) => f.name === p.fn)?.datasets ?? []
  const own = useOwnRows(p.place, p.address, dataset)
  const earlier = useEarlier(p)
  const sites = useMemo(() => answer.sites.filter(told), [answer])
  const points = useMemo(() => (own.rows?.latitude ? project(own.rows.latitude, own.rows.longitude!) : null), [own.rows])
  const [reach, setReach] = useState<Float64Array | null>(null)
  useEffect(() => {
    let here = true
    setReach(null)
    if (own.rows?.latitude) void nearest(own.rows.latitude, own.rows.longitude!, sites, () => !here).then((r) => here && r && setReach(r))
    return () => {
      here = false
    }
  }, [own.rows, sites])
  const box = useMemo(() => {
    const lat = [...sites.map((s) => s.latitude), ...(own.rows?.latitude ?? [])]
    const lon = [...sites.map((s) => s.longitude), ...(own.rows?.longitude ?? [])]
    return boxOf(lat, lon)
  }, [sites, own.rows])
  const markers: Marker[] = useMemo(
    () =>
      sites.map((s) => ({
        id: s.site,
        latitude: s.latitude,
        longitude: s.longitude,
        title: siteTitle(s.site, s.rows, s.p95_km),
        km: radius,
      })),
    [sites, radius],
  )
  const other = earlier.find((e) => e.name === compare)
  const others: Marker[] = useMemo(
    () => (other?.answer.sites ?? []).filter(told).map((s) => ({ id: s.site, latitude: s.latitude, longitude: s.longitude, title: '' })),
    [other],
  )
  const elbow: Spot[] = useMemo(() => {
    const best = new globalThis.Map<number, Spot>()
    for (const e of earlier)
      if (e.answer.inertia !== undefined && e.answer.metric === answer.metric && !(best.get(e.answer.k)?.y! <= e.answer.inertia))
        best.set(e.answer.k, { x: e.answer.k, y: e.answer.inertia, name: `k = ${e.answer.k}: ${e.answer.inertia}` })
    return [...best.values()].sort((a, b) => a.x - b.x)
  }, [earlier])
  const share = reach ? shareWithin(reach, radius) : null
  const step = 10 ** Math.floor(Math.log10(answer.radius_km)) / 100
  return (
    <>
      <div class="stats">
        <Stat value={answer.rows === null ? 'withheld' : count(answer.rows)} name="rows of all parties" />
        <Stat value={String(answer.contributors)} name="contributors" />
        <Stat value={String(answer.k)} name="sites" />
        <Stat
          value={answer.within_radius === null || answer.within_radius === undefined ? 'not told' : percent(answer.within_radius)}
          name={`of all rows within ${distance(answer.radius_km, 1)}`}
        />
      </div>
      <div class="split">
        <div>
          <Map
            label={`Map of ${sites.length} sites${points ? ` over your own ${count(points.n)} points` : ''}`}
            points={points}
            markers={markers}
            others={others}
            box={box}
            selected={chosen}
            onSelect={choose}
            fileName={stem(p)}
            caption={caption(p)}
            legend={[
              ...(points ? [{ colour: 'point' as const, text: 'your own points; nobody sees another’s' }] : []),
              { colour: 'site', text: 'site of the joint answer' },
              { colour: 'circle', text: `within ${distance(radius, 1)}` },
              ...(other ? [{ colour: 'other' as const, text: `run ${other.run}` }] : []),
            ]}
          />
          <div class="card coverage">
            <label for="radius">
              Coverage radius: <strong>{distance(radius, 2)}</strong>
            </label>
            <input
              id="radius"
              type="range"
              min={step}
              max={Math.max(3 * answer.radius_km, radius)}
              step={step}
              value={radius}
              aria-valuetext={`${distance(radius, 2)}${share === null ? '' : `, ${percent(share)} of your own points`}`}
              onInput={(e) => setQuery({ radius: e.currentTarget.value })}
            />
            <p data-testid="share" data-share={share ?? ''}>
              {share === null ? (
                own.missing ? (
                  'Your own points are not on this machine, so their share is not shown.'
                ) : (
                  'Measuring your own points…'
                )
              ) : (
                <>
                  <strong>{percent(share, 2)}</strong> of your own {count(reach!.length)} points lie within {distance(radius, 2)} of a site.{' '}
                  <span class="dim">Counted here; of the others only the agreed answer is known.</span>
                </>
              )}
            </p>
          </div>
        </div>
        <Table sites={answer.sites} rows={answer.rows} chosen={chosen} choose={choose} />
      </div>
      <div class="row wrap top">
        {elbow.length > 1 && (
          <section class="card">
            <h2>Inertia by number of sites</h2>
            <LineChart
              spots={elbow}
              label={`Inertia for ${elbow.length} values of k`}
              xName="k"
              yName={answer.inertia_unit ?? ''}
              marked={answer.k}
            />
          </section>
        )}
        {earlier.length > 1 && (
          <div class="card field">
            <label for="compare">Compare with</label>
            <select id="compare" value={compare ?? ''} onChange={(e) => setQuery({ compare: e.currentTarget.value || null })}>
              <option value="">no other run</option>
              {earlier
                .filter((e) => e.name !== p.name)
                .map((e) => (
                  <option key={e.name} value={e.name}>
                    run {e.run}: k = {e.answer.k}
                  </option>
                ))}
            </select>
            {other && answer.inertia !== undefined && other.answer.inertia !== undefined && (
              <p>
                Inertia {answer.inertia.toPrecision(5)} here, {other.answer.inertia.toPrecision(5)} there.
              </p>
            )}
          </div>
        )}
        <p class="dim">
          Great-circle distances, R = 6371.0088 km{units() === 'miles' ? `, shown in miles of ${perUnit()} km` : ''}.{' '}
          {answer.converged ? `Converged after ${answer.rounds} rounds.` : ''}{' '}
          {answer.suppressed_sites > 0
            ? `${answer.suppressed_sites} sites are suppressed: fewer than ${p.manifest.release.minimum_rows} rows, or of too few parties.`
            : ''}
        </p>
      </div>
    </>
  )
}
