// Web Mercator on the unit square, and a window on it. A kilometre is as long as it should be at the window's middle.
const RAD = Math.PI / 180
export const LIMIT = 85.0511
export const EARTH_KM = 2 * Math.PI * 6371.0088
export const ZOOM_MAX = 2 ** 26

export const worldX = (longitude: number): number => (longitude + 180) / 360
export const worldY = (latitude: number): number => {
  const s = Math.sin(Math.max(-LIMIT, Math.min(LIMIT, latitude)) * RAD)
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)
}
export const longitudeAt = (x: number): number => x * 360 - 180
export const latitudeAt = (y: number): number => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) / RAD

// x, y: the middle; scale: pixels across the world.
export interface View {
  x: number
  y: number
  scale: number
}
export interface Box {
  west: number
  south: number
  east: number
  north: number
}

export function fit(box: Box, width: number, height: number, margin = 0.06): View {
  const x0 = worldX(box.west),
    x1 = worldX(box.east),
    y0 = worldY(box.north),
    y1 = worldY(box.south)
  const scale = (1 - 2 * margin) * Math.min(width / Math.max(x1 - x0, 1e-7), height / Math.max(y1 - y0, 1e-7))
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.min(scale, ZOOM_MAX) }
}

export function boxOf(latitude: ArrayLike<number>, longitude: ArrayLike<number>): Box | null {
  let west = 181,
    east = -181,
    south = 91,
    north = -91
  for (let i = 0; i < latitude.length; i++) {
    const a = latitude[i]!,
      b = longitude[i]!
    if (a < south) south = a
    if (a > north) north = a
    if (b < west) west = b
    if (b > east) east = b
  }
  return west <= east ? { west, south, east, north } : null
}

export const kmToPixels = (km: number, latitude: number, scale: number): number =>
  (km / EARTH_KM / Math.max(0.05, Math.cos(latitude * RAD))) * scale

// A round length that is drawn about `pixels` long.
export function scaleBar(view: View, pixels: number, perUnit: number): { length: number; pixels: number } {
  const one = kmToPixels(perUnit, latitudeAt(view.y), view.scale)
  const wanted = pixels / one
  const power = 10 ** Math.floor(Math.log10(wanted))
  const length = [5, 2, 1].map((m) => m * power).find((l) => l <= wanted) ?? power
  return { length, pixels: length * one }
}
