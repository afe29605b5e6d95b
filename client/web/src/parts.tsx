// The small parts that all screens are made of.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { announce } from './store'
import type { Trouble, TrustWord } from './types'

const paths: Record<string, string> = {
  contracts: 'M5 3h10l4 4v14H5zM14 3v5h5M8 12h8M8 16h8',
  participants:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.6-4 3-6 6.5-6s5.900 2 6.500 6M16 5a3 3 0 0 1 0 6M18 14.500c2 .8 3.200 2.600 3.500 5.500',
  contribute: 'M12 15V4M7.500 8.500 12 4l4.500 4.500M4 15v5h16v-5',
  analyse: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  results: 'M12 21s-7-6.200-7-11.500A7 7 0 0 1 19 9.500C19 14.800 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  models: 'M5 7l7-4 7 4v10l-7 4-7-4zM5 7l7 4 7-4M12 11v10',
  audit: 'M6 4h12v17l-3-2-3 2-3-2-3 2zM9 9h6M9 13h6',
  settings:
    'M4 7h10M18 7h2M4 17h2M10 17h10M16 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  tryit: 'M6 4v16l13-8z',
  pass: 'M5 12.500l4.500 4.500L19 7.500',
  fail: 'M6 6l12 12M18 6 6 18',
  info: 'M12 8h.01M12 11v6M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  warn: 'M12 4 2.500 20h19zM12 10v5M12 17.500v.01',
  wait: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  off: 'M4 4l16 16M8 5.500a9 9 0 0 1 12.500 3M5 9a9 9 0 0 0-1.500 1.500M12 19h.01',
  copy: 'M9 9h10v11H9zM5 15H4V4h11v1',
  shield: 'M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6z',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20.500h4',
}
export const Icon = ({ name }: { name: string }): JSX.Element => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={paths[name] ?? paths.info!} />
  </svg>
)

const chips: Record<TrustWord, { icon: string; text: string; tone: string }> = {
  verified: { icon: 'shield', text: 'Verified', tone: 'good' },
  simulated: { icon: 'warn', text: 'Simulated', tone: 'amber' },
  stale: { icon: 'wait', text: 'Stale', tone: 'amber' },
  mismatch: { icon: 'fail', text: 'Mismatch', tone: 'bad' },
  unreachable: { icon: 'off', text: 'Unreachable', tone: 'bad' },
  unpinned: { icon: 'info', text: 'No policy yet', tone: 'plain' },
  unset: { icon: 'info', text: 'No node yet', tone: 'plain' },
  checking: { icon: 'wait', text: 'Checking', tone: 'plain' },
}
export const trustText = (w: TrustWord): string => chips[w].text
export const TrustChip = ({ word, href }: { word: TrustWord; href?: string }): JSX.Element => {
  const c = chips[word]
  const inner = (
    <>
      <Icon name={c.icon} />
      {c.text}
    </>
  )
  return href ? (
    <a class={`chip ${c.tone}`} data-trust={word} href={href}>
      {inner}
    </a>
  ) : (
    <span class={`chip ${c.tone}`} data-trust={word}>
      {inner}
    </span>
  )
}
export const Chip = ({ tone, icon, children }: { tone: string; icon: string; children: ComponentChildren }): JSX.Element => (
  <span class={`chip ${tone}`}>
    <Icon name={icon} />
    {children}
  </span>
)

export function Copy({ text, what }: { text: string; what: string }): JSX.Element {
  const [done, set] = useState(false)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      const area = document.createElement('textarea')
      area.value = text
      document.body.append(area)
      area.select()
      document.execCommand('copy')
      area.remove()
    }
    set(true)
    announce(`${what} copied`)
    setTimeout(() => set(false), 1600)
  }
  return (
    <button
      type="button"
      class="icon-button"
      data-copy={text}
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={() => void copy()}
    >
      <Icon name={done ? 'pass' : 'copy'} />
    </button>
  )
}

export const Hash = ({ text, what }: { text: string; what: string }): JSX.Element => (
  <span class="hash">
    <code>{text}</code>
    <Copy text={text} what={what} />
  </span>
)

export const Command = ({ line, label = 'The same in a terminal' }: { line: string; label?: string }): JSX.Element | null =>
  line ? (
    <div class="command">
      <span class="dim">{label}</span>
      <code>{line}</code>
      <Copy text={line} what="command" />
    </div>
  ) : null

export function TroubleBox({
  trouble,
  id,
  onDismiss,
  onRetry,
}: {
  trouble: Trouble
  id?: string
  onDismiss?: () => void
  onRetry?: () => void
}): JSX.Element {
  return (
    <div class="trouble" role="alert">
      <Icon name="fail" />
      <div>
        <p>
          <strong>{sentence(trouble.what)}</strong>
        </p>
        {trouble.not_done && <p>{sentence(trouble.not_done)}</p>}
        {trouble.next && (
          <p>
            Next: {sentence(trouble.next)} <span class="dim">({trouble.who})</span>
          </p>
        )}
        <p class="dim small-text">
          {id ? `Message ${id} · ` : ''}
          {trouble.status}
          {trouble.refusal ? ` · ${trouble.refusal}` : ''}
        </p>
        <div class="row">
          {onRetry && (
            <button type="button" class="small" onClick={onRetry}>
              Try again
            </button>
          )}
          {onDismiss && (
            <button type="button" class="small" onClick={onDismiss}>
              Dismiss
            </button>
          )}
        </div>
      </div>
    </div>
  )
}
export const sentence = (t: string): string => {
  const s = t.charAt(0).toUpperCase() + t.slice(1)
  return /[.!?:…]$/.test(s) ? s : `${s}.`
}

export const Empty = ({ icon, title, children }: { icon: string; title: string; children: ComponentChildren }): JSX.Element => (
  <div class="empty">
    <Icon name={icon} />
    <h2>{title}</h2>
    {children}
  </div>
)
export const Loading = ({ what }: { what: string }): JSX.Element => (
  <p class="dim loading" role="status">
    {what}…
  </p>
)

export function Progress({ done, total, label }: { done: number; total: number; label: string }): JSX.Element {
  const share = total > 0 ? Math.min(1, done / total) : undefined
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === undefined ? undefined : Math.round(100 * share)}
    >
      <div class={share === undefined ? 'unknown' : ''} style={{ width: `${share === undefined ? 30 : 100 * share}%` }} />
    </div>
  )
}

let fields = 0
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string
  hint?: string
  error?: string
  children: (a: { id: string; 'aria-describedby': string; 'aria-invalid': boolean }) => JSX.Element
}): JSX.Element {
  const [id] = useState(() => `f${++fields}`)
  return (
    <div class={`field${error ? ' wrong' : ''}`}>
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-hint`, 'aria-invalid': !!error })}
      <p id={`${id}-hint`} class={error ? 'field-error' : 'dim small-text'}>
        {error ? (
          <>
            <Icon name="warn" /> {error}
          </>
        ) : (
          hint
        )}
      </p>
    </div>
  )
}

// A dialog of the browser's own: it keeps the focus inside, closes on Esc and gives the focus back.
export function Dialog({
  open,
  title,
  onClose,
  children,
}: {
  open: boolean
  title: string
  onClose: () => void
  children: ComponentChildren
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null)
  const from = useRef<Element | null>(null)
  const ours = useRef(false) // the browser tells of a closing later, when the dialog may be open again
  useEffect(() => {
    const d = box.current!
    if (open && !d.open) {
      from.current = document.activeElement
      d.showModal()
    }
    if (!open && d.open) {
      ours.current = true
      d.close()
      if (from.current instanceof HTMLElement) from.current.focus()
    }
  }, [open])
  const closed = (): void => {
    if (!ours.current) onClose()
    ours.current = false
  }
  const cancelled = (e: Event): void => {
    e.preventDefault()
    onClose()
  }
  return (
    <dialog ref={box} aria-label={title} onCancel={cancelled} onClose={closed} onClick={(e) => e.target === box.current && onClose()}>
      {open && (
        <div class="dialog-body">
          <header class="row between">
            <h2>{title}</h2>
            <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
              <Icon name="fail" />
            </button>
          </header>
          {children}
        </div>
      )}
    </dialog>
  )
}

export const Tabs = ({ tabs, now, href }: { tabs: [string, string][]; now: string; href: (key: string) => string }): JSX.Element => (
  <nav class="tabs" aria-label="Parts of this view">
    {tabs.map(([key, text]) => (
      <a key={key} href={href(key)} aria-current={key === now ? 'page' : undefined}>
        {text}
      </a>
    ))}
  </nav>
)
export const Fact = ({ name, children }: { name: string; children: ComponentChildren }): JSX.Element => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)
export const Stat = ({ value, name }: { value: string; name: string }): JSX.Element => (
  <div class="stat">
    <strong>{value}</strong>
    <span class="dim">{name}</span>
  </div>
)
