// The view lives in the address, after the #, so that a link opens the same again. It never reaches a server.
import { useEffect, useState } from 'preact/hooks'

export interface Route {
  place: string
  screen: string
  id: string
  more: string
  query: URLSearchParams
}

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [place = '', screen = '', id = '', more = ''] = path.split('/').map(decodeURIComponent)
  return { place: place || 'own', screen: screen || (place === 'try' ? '' : 'contracts'), id, more, query: new URLSearchParams(query) }
}

export function link(place: string, screen: string, id = '', more = '', query: Record<string, string> = {}): string {
  const path = [place, screen, id, more]
    .filter((p, i) => p !== '' || i < 2)
    .map(encodeURIComponent)
    .join('/')
  const q = new URLSearchParams(query).toString()
  return `#/${path}${q ? `?${q}` : ''}`
}

export const go = (to: string): void => {
  location.hash = to
}

// A part of the view that is no step back in history.
export function setQuery(change: Record<string, string | null>): void {
  const r = parse(location.hash)
  for (const [k, v] of Object.entries(change)) v === null ? r.query.delete(k) : r.query.set(k, v)
  const q = r.query.toString()
  history.replaceState(null, '', `${location.hash.split('?')[0] || '#/'}${q ? `?${q}` : ''}`)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

export function useRoute(): Route {
  const [route, set] = useState(() => parse(location.hash))
  useEffect(() => {
    const on = (): void => set(parse(location.hash))
    addEventListener('hashchange', on)
    return () => removeEventListener('hashchange', on)
  }, [])
  return route
}
