// Mouse, wheel, touch and pinch, as moves and zooms.
import { useEffect, useRef } from 'preact/hooks'

export function useGestures(
  box: { current: HTMLDivElement | null },
  pan: (dx: number, dy: number) => void,
  zoom: (by: number, x: number, y: number) => void,
): object {
  const held = useRef(new globalThis.Map<number, { x: number; y: number }>())
  const acts = useRef({ pan, zoom })
  acts.current = { pan, zoom }
  useEffect(() => {
    const el = box.current!
    const wheel = (e: WheelEvent): void => {
      e.preventDefault()
      const r = el.getBoundingClientRect()
      acts.current.zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0016)), e.clientX - r.left, e.clientY - r.top)
    }
    el.addEventListener('wheel', wheel, { passive: false })
    return () => el.removeEventListener('wheel', wheel)
  }, [])
  const spread = (): number => {
    const [a, b] = [...held.current.values()]
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0
  }
  return {
    onPointerDown: (e: PointerEvent) => {
      if ((e.target as Element).closest('.marker')) return
      box.current!.setPointerCapture(e.pointerId)
      held.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
    },
    onPointerMove: (e: PointerEvent) => {
      const last = held.current.get(e.pointerId)
      if (!last) return
      const before = spread()
      held.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
      if (before) {
        const r = box.current!.getBoundingClientRect()
        zoom(spread() / before, e.clientX - r.left, e.clientY - r.top)
      } else pan(e.clientX - last.x, e.clientY - last.y)
    },
    onPointerUp: (e: PointerEvent) => held.current.delete(e.pointerId),
    onPointerCancel: (e: PointerEvent) => held.current.delete(e.pointerId),
    onDblClick: (e: MouseEvent) => {
      const r = box.current!.getBoundingClientRect()
      zoom(2, e.clientX - r.left, e.clientY - r.top)
    },
  }
}
