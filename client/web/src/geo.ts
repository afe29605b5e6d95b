// Distances on the sphere of the contracts: R = 6371.0088 km.
export const RADIUS_KM = 6371.0088
const RAD = Math.PI / 180

export function unit(latitude: number, longitude: number): [number, number, number] {
  const c = Math.cos(latitude * RAD)
  return [c * Math.cos(longitude * RAD), c * Math.sin(longitude * RAD), Math.sin(latitude * RAD)]
}

// For each place the distance to its nearest site, ascending, in km; in slices, so that the page stays awake.
export async function nearest(
  latitude: Float64Array,
  longitude: Float64Array,
  sites: { latitude: number; longitude: number }[],
  stop: () => boolean,
): Promise<Float64Array | null> {
  const s = sites.map((p) => unit(p.latitude, p.longitude))
  const out = new Float64Array(latitude.length)
  const slice = Math.max(200, Math.round(4e6 / Math.max(1, s.length)))
  for (let i = 0; i < out.length; i++) {
    const [x, y, z] = unit(latitude[i]!, longitude[i]!)
    let best = Infinity
    for (const q of s) {
      const dx = x - q[0],
        dy = y - q[1],
        dz = z - q[2]
      const d = dx * dx + dy * dy + dz * dz
      if (d < best) best = d
    }
    out[i] = 2 * RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(best) / 2))
    if (i % slice === slice - 1) {
      await new Promise((done) => setTimeout(done))
      if (stop()) return null
    }
  }
  return out.sort()
}

// How much of an ascending list lies at or below a limit.
export function shareWithin(sorted: Float64Array, km: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const mid = (low + high) >> 1
    if (sorted[mid]! <= km) low = mid + 1
    else high = mid
  }
  return sorted.length ? low / sorted.length : 0
}
