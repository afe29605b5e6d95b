// What was said: errors stay until they are dismissed, and all of it can be read again.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { when } from './format'
import { Command, Dialog, Icon, TroubleBox } from './parts'
import { dismiss, messages } from './store'

export function Messages(): JSX.Element {
  const all = messages.use()
  const [open, set] = useState(false)
  const errors = all.filter((m) => m.kind === 'error')
  return (
    <>
      <button type="button" class="icon-button" aria-label={`Messages: ${all.length}`} onClick={() => set(true)}>
        <Icon name="bell" />
        {all.length > 0 && <span class="badge">{all.length}</span>}
      </button>
      <Dialog open={open} title="Messages" onClose={() => set(false)}>
        {all.length === 0 && <p class="dim">Nothing was said yet.</p>}
        <ul class="plain messages">
          {all.map((m) => (
            <li key={m.id}>
              {m.trouble ? (
                <TroubleBox trouble={m.trouble} id={m.id} onDismiss={() => dismiss(m.id)} />
              ) : (
                <div class="card">
                  <p>
                    <Icon name={m.kind === 'done' ? 'pass' : 'info'} /> {m.text}
                  </p>
                  <p class="dim small-text">
                    {m.id} · {when(m.at)}
                  </p>
                  {m.line && <Command line={m.line} />}
                  <button type="button" class="small" onClick={() => dismiss(m.id)}>
                    Dismiss
                  </button>
                </div>
              )}
            </li>
          ))}
        </ul>
      </Dialog>
      <div class="toasts">
        {errors.slice(0, 2).map((m) => (
          <TroubleBox key={m.id} trouble={m.trouble!} id={m.id} onDismiss={() => dismiss(m.id)} />
        ))}
        {all
          .filter((m) => m.kind !== 'error' && Date.now() - m.at < 6000)
          .slice(0, 1)
          .map((m) => (
            <div key={m.id} class="card toast">
              <Icon name="pass" /> {m.text}{' '}
              <button type="button" class="small" onClick={() => dismiss(m.id)}>
                Dismiss
              </button>
            </div>
          ))}
      </div>
    </>
  )
}
