// Ctrl K: anywhere, by typing.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Dialog } from './parts'

export interface Choice {
  text: string
  to: () => void
}
export function Palette({ open, onClose, choices }: { open: boolean; onClose: () => void; choices: Choice[] }): JSX.Element {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const found = choices.filter((c) => c.text.toLowerCase().includes(text.toLowerCase())).slice(0, 12)
  const take = (c?: Choice): void => {
    onClose()
    setText('')
    c?.to()
  }
  const key = (e: KeyboardEvent): void => {
    if (e.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1))
    else if (e.key === 'ArrowUp') setAt(Math.max(0, at - 1))
    else if (e.key === 'Enter') take(found[at])
    else return
    e.preventDefault()
  }
  return (
    <Dialog open={open} title="Go to" onClose={onClose}>
      <input
        autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette"
        aria-activedescendant={`go-${at}`}
        aria-label="Go to, or do"
        value={text}
        onInput={(e) => {
          setText(e.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={key}
      />
      <ul id="palette" role="listbox" aria-label="Found" class="palette">
        {found.map((c, i) => (
          <li key={c.text} id={`go-${i}`} role="option" aria-selected={i === at} onClick={() => take(c)}>
            {c.text}
          </li>
        ))}
      </ul>
    </Dialog>
  )
}
