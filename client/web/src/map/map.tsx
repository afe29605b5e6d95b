// The map: a canvas for what is many, SVG above it for what is chosen. Works by mouse, touch and keyboard, needs no WebGL and no network.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { distance, perUnit, units } from '../format'
import { coarse, fine, type Base } from './base'
import { paint, themes, type Circle } from './paint'
import { PointRaster, type Points } from './points'
import { fit, scaleBar, worldX, worldY, ZOOM_MAX, type Box, type View } from './projection'
import { useGestures } from './gestures'
import { save } from './save'

export interface Marker {
  id: number
  latitude: number
  longitude: number
  title: string
  km?: number
}
export interface MapProps {
  label: string
  box: Box | null
  points?: Points | null
  markers?: Marker[]
  others?: Marker[] // an earlier run's, to compare: hollow
  selected?: number | null
  onSelect?: (id: number | null) => void
  shade?: ((name: string) => string | null) | null
  legend?: { colour: 'point' | 'site' | 'other' | 'circle'; text: string }[]
  caption?: string[] // goes into the picture that is saved
  fileName?: string
}

const FINE_FROM = 2200 // pixels across the world
const WORLD: Box = { west: -170, south: -56, east: 179, north: 76 }
const LABELLED_MAX = 400

export const useTheme = (): 'dark' | 'light' => {
  const read = (): 'dark' | 'light' => {
    const t = document.documentElement.dataset.theme
    return t === 'dark' || t === 'light' ? t : matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
  }
  const [theme, set] = useState(read)
  useEffect(() => {
    const on = (): void => set(read())
    const media = matchMedia('(prefers-color-scheme: light)')
    const watch = new MutationObserver(on)
    watch.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    media.addEventListener('change', on)
    return () => {
      watch.disconnect()
      media.removeEventListener('change', on)
    }
  }, [])
  return theme
}

const clamp = (v: View, width: number): View => {
  const scale = Math.max(width * 0.8, Math.min(ZOOM_MAX, v.scale))
  return { scale, x: Math.max(0, Math.min(1, v.x)), y: Math.max(0.02, Math.min(0.98, v.y)) }
}

export function Map(p: MapProps): preact.JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const svg = useRef<SVGSVGElement>(null)
  const raster = useMemo(() => new PointRaster(), [])
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [base, setBase] = useState<Base | null>(null)
  const view = useRef<View>({ x: 0.5, y: 0.4, scale: 600 })
  const [bar, setBar] = useState({ length: 0, pixels: 0 })
  const theme = useTheme()
  const pending = useRef(0)
  const markers = p.markers ?? []
  const others = p.others ?? []

  useLayoutEffect(() => {
    const el = box.current!
    const on = (): void => setSize({ width: el.clientWidth, height: el.clientHeight })
    on()
    const watch = new ResizeObserver(on)
    watch.observe(el)
    return () => watch.disconnect()
  }, [])

  useEffect(() => {
    let here = true
    void coarse().then((b) => here && setBase((old) => old ?? b))
    return () => {
      here = false
    }
  }, [])

  const circles: Circle[] = useMemo(
    () =>
      markers
        .filter((m) => m.km)
        .map((m) => ({ latitude: m.latitude, x: worldX(m.longitude), y: worldY(m.latitude), km: m.km!, strong: m.id === p.selected })),
    [markers, p.selected],
  )

  const place = (): void => {
    const v = view.current
    for (const g of svg.current?.querySelectorAll<SVGGElement>('g[data-x]') ?? []) {
      const x = (Number(g.dataset.x) - v.x) * v.scale + size.width / 2
      const y = (Number(g.dataset.y) - v.y) * v.scale + size.height / 2
      g.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`)
    }
  }

  const draw = (): void => {
    pending.current = 0
    const c = canvas.current
    if (!c || size.width === 0) return
    const begin = performance.now()
    const seen = paint(
      c,
      raster,
      { base, points: p.points ?? null, circles, shade: p.shade ?? null },
      themes[theme],
      view.current,
      size.width,
      size.height,
    )
    place()
    c.dataset.frameMs = (performance.now() - begin).toFixed(1)
    c.dataset.seen = String(seen)
    const b = scaleBar(view.current, 110, perUnit())
    setBar((old) => (old.length === b.length && Math.abs(old.pixels - b.pixels) < 0.5 ? old : b))
    if (view.current.scale > FINE_FROM && base && !base.fine) void fine().then(setBase)
  }
  const latest = useRef(draw)
  latest.current = draw
  const redraw = (): void => {
    if (!pending.current) pending.current = requestAnimationFrame(() => latest.current())
  }

  const home = (): void => {
    if (size.width === 0) return
    view.current = clamp(fit(p.box ?? WORLD, size.width, size.height), size.width)
    redraw()
  }
  useLayoutEffect(() => {
    const c = canvas.current!
    const ratio = Math.min(2, devicePixelRatio)
    c.width = Math.round(size.width * ratio)
    c.height = Math.round(size.height * ratio)
    redraw()
  }, [size])
  useLayoutEffect(home, [size.width > 0, JSON.stringify(p.box)])
  useLayoutEffect(redraw, [base, p.points, circles, others, theme, p.shade])

  const zoom = (by: number, atX = size.width / 2, atY = size.height / 2): void => {
    const v = view.current
    const next = clamp({ ...v, scale: v.scale * by }, size.width)
    const x = v.x + (atX - size.width / 2) / v.scale
    const y = v.y + (atY - size.height / 2) / v.scale
    view.current = clamp(
      { scale: next.scale, x: x - (atX - size.width / 2) / next.scale, y: y - (atY - size.height / 2) / next.scale },
      size.width,
    )
    redraw()
  }
  const pan = (dx: number, dy: number): void => {
    const v = view.current
    view.current = clamp({ ...v, x: v.x - dx / v.scale, y: v.y - dy / v.scale }, size.width)
    redraw()
  }
  const gestures = useGestures(box, pan, zoom)

  const key = (e: KeyboardEvent): void => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => pan(60, 0),
      ArrowRight: () => pan(-60, 0),
      ArrowUp: () => pan(0, 60),
      ArrowDown: () => pan(0, -60),
      '+': () => zoom(1.5),
      '=': () => zoom(1.5),
      '-': () => zoom(1 / 1.5),
      '0': home,
    }
    const move = moves[e.key]
    if (!move || e.ctrlKey || e.metaKey) return
    e.preventDefault()
    move()
  }

  return (
    <figure class="map">
      <div
        class="map-box"
        ref={box}
        tabIndex={0}
        role="group"
        aria-label={`${p.label}. Arrow keys move, plus and minus zoom, 0 shows all.`}
        onKeyDown={key}
        {...gestures}
      >
        <canvas ref={canvas} role="img" aria-label={p.label} />
        <svg ref={svg} width={size.width} height={size.height} aria-hidden={markers.length > LABELLED_MAX}>
          {others.map((m) => (
            <g key={`o${m.id}`} data-x={worldX(m.longitude)} data-y={worldY(m.latitude)} class="marker other">
              <circle r="6" />
            </g>
          ))}
          {markers.map((m) => (
            <g
              key={m.id}
              data-x={worldX(m.longitude)}
              data-y={worldY(m.latitude)}
              data-site={m.id}
              data-latitude={m.latitude}
              data-longitude={m.longitude}
              class={`marker${m.id === p.selected ? ' chosen' : ''}`}
              role="button"
              tabIndex={-1}
              aria-label={m.title}
              aria-pressed={m.id === p.selected}
              onClick={() => p.onSelect?.(m.id === p.selected ? null : m.id)}
            >
              <title>{m.title}</title>
              <circle r={m.id === p.selected ? 11 : 8} />
              {markers.length <= 100 && <text dy="0.36em">{m.id + 1}</text>}
            </g>
          ))}
        </svg>
        <div
          class="map-bar"
          style={{ width: `${bar.pixels}px` }}
          aria-hidden="true"
        >{`${Number(bar.length.toPrecision(3))} ${units() === 'miles' ? 'mi' : 'km'}`}</div>
        <div class="map-credit">Natural Earth</div>
      </div>
      <div class="map-tools">
        <div class="group">
          <button type="button" class="small" onClick={() => zoom(1.6)} aria-label="Zoom in">
            +
          </button>
          <button type="button" class="small" onClick={() => zoom(1 / 1.6)} aria-label="Zoom out">
            −
          </button>
          <button type="button" class="small" onClick={home}>
            Show all
          </button>
          {p.fileName && (
            <button type="button" class="small" onClick={() => void save(canvas.current!, view.current, p, size, theme)}>
              PNG
            </button>
          )}
        </div>
        <ul class="legend">
          {p.legend?.map((l) => (
            <li key={l.text}>
              <span class={`key ${l.colour}`} aria-hidden="true" />
              {l.text}
            </li>
          ))}
        </ul>
      </div>
    </figure>
  )
}

export const siteTitle = (n: number, rows: number | undefined, p95: number | null | undefined): string =>
  `Site ${n + 1}${rows === undefined ? '' : `: ${rows} rows`}${p95 == null ? '' : `, 95 % within ${distance(p95)}`}`
