// Natural Earth's countries, from the world-atlas package: coarse at once, finer where one looks closer.
// TopoJSON as its specification (topojson/topojson-specification) has it: arcs are delta-coded integers.
import coarseUrl from 'world-atlas/countries-110m.json?url'
import fineUrl from 'world-atlas/countries-50m.json?url'
import { worldX, worldY, LIMIT } from './projection'

interface Geometry {
  type: string
  arcs: number[][] | number[][][]
  id?: string
  properties: { name: string }
}
interface Topology {
  arcs: [number, number][][]
  transform: { scale: [number, number]; translate: [number, number] }
  objects: { countries: { geometries: Geometry[] } }
}

export interface Country {
  name: string
  path: Path2D
  label: [number, number]
  width: number
}
export interface Base {
  fine: boolean
  land: Path2D
  borders: Path2D
  countries: Country[]
}

type Line = Float64Array // x, y, x, y … on the unit square

function decode(t: Topology): Line[] {
  const { scale, translate } = t.transform
  return t.arcs.map((arc) => {
    const line = new Float64Array(2 * arc.length)
    let x = 0
    let y = 0
    arc.forEach(([dx, dy], i) => {
      x += dx
      y += dy
      line[2 * i] = worldX(x * scale[0] + translate[0])
      line[2 * i + 1] = worldY(Math.max(-LIMIT, y * scale[1] + translate[1]))
    })
    return line
  })
}

// A ring's corners; ~i is arc i backwards, and each arc begins where the last ended. A ring over the date line goes on beyond
// the square's edge rather than back across the world; one around a pole is closed along the square's rim.
function ring(arcs: number[], lines: Line[]): number[] {
  const out: number[] = []
  let shift = 0
  for (const a of arcs) {
    const line = lines[a < 0 ? ~a : a]!
    for (let k = out.length ? 1 : 0; k < line.length / 2; k++) {
      const i = a < 0 ? line.length / 2 - 1 - k : k
      const x = line[2 * i]!
      const before = out.length ? out[out.length - 2]! - shift : x
      if (x - before > 0.5) shift--
      if (before - x > 0.5) shift++
      out.push(x + shift, line[2 * i + 1]!)
    }
  }
  if (shift !== 0) {
    const rim = out[1]! > 0.5 ? 1 : 0
    out.push(out[out.length - 2]!, rim, out[0]!, rim)
  }
  return out
}

function trace(path: Path2D, corners: number[]): void {
  let west = 1,
    east = 0
  for (let i = 0; i < corners.length; i += 2) {
    west = Math.min(west, corners[i]!)
    east = Math.max(east, corners[i]!)
  }
  for (const by of [0, ...(east > 1 ? [-1] : []), ...(west < 0 ? [1] : [])]) {
    for (let i = 0; i < corners.length; i += 2)
      i ? path.lineTo(corners[i]! + by, corners[i + 1]!) : path.moveTo(corners[0]! + by, corners[1]!)
    path.closePath()
  }
}

// A line broken where it crosses the date line.
function draw(path: Path2D, line: Line): void {
  for (let i = 0; i < line.length; i += 2)
    i && Math.abs(line[i]! - line[i - 2]!) < 0.5 ? path.lineTo(line[i]!, line[i + 1]!) : path.moveTo(line[i]!, line[i + 1]!)
}

function country(g: Geometry, lines: Line[]): Country {
  const polygons = (g.type === 'Polygon' ? [g.arcs] : g.arcs) as number[][][]
  const path = new Path2D()
  let widest = 0
  let label: [number, number] = [0, 0]
  for (const polygon of polygons)
    polygon.forEach((arcs, hole) => {
      const corners = ring(arcs, lines)
      trace(path, corners)
      if (hole) return
      let a = 0,
        cx = 0,
        cy = 0,
        west = 1,
        east = 0
      for (let i = 0; i + 3 < corners.length; i += 2) {
        const [x0, y0, x1, y1] = corners.slice(i, i + 4) as [number, number, number, number]
        const cross = x0 * y1 - x1 * y0
        a += cross
        cx += (x0 + x1) * cross
        cy += (y0 + y1) * cross
        west = Math.min(west, x0)
        east = Math.max(east, x0)
      }
      if (Math.abs(a) > 1e-12 && east - west > widest && east - west < 0.7) {
        widest = east - west
        label = [cx / (3 * a), cy / (3 * a)]
      }
    })
  return { name: g.properties.name, path, label, width: widest }
}

function make(t: Topology, fine: boolean): Base {
  const lines = decode(t)
  const countries = t.objects.countries.geometries.filter((g) => g.arcs).map((g) => country(g, lines))
  const land = new Path2D()
  for (const c of countries) land.addPath(c.path)
  const borders = new Path2D()
  for (const line of lines) draw(borders, line)
  return { fine, land, borders, countries }
}

const kept: { coarse?: Promise<Base>; fine?: Promise<Base> } = {}
const load = async (url: string, fine: boolean): Promise<Base> => make((await (await fetch(url)).json()) as Topology, fine)
export const coarse = (): Promise<Base> => (kept.coarse ??= load(coarseUrl, false))
export const fine = (): Promise<Base> => (kept.fine ??= load(fineUrl, true))
