import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { when } from '../format'
import { download } from '../map/save'
import { Command, Icon, Loading, Stat, TroubleBox } from '../parts'
import type { Route } from '../router'
import { announce, useAct, useContract } from '../store'
import type { History } from './participants'

export function Audit({ route }: { route: Route }): JSX.Element {
  const { place, id } = route
  const asked = useContract(place, id)
  const history = useAct<History>(place, { act: 'audit', address: id })
  const [filter, setFilter] = useState('')
  const [checkedAt, setCheckedAt] = useState(0)
  // Counted from the last answer: one that takes longer than this is waited for, not asked for anew.
  useEffect(() => {
    if (history.loading) return
    const timer = setTimeout(history.reload, 1800)
    return () => clearTimeout(timer)
  }, [history.loading])
  const events = history.value?.events ?? []
  const shown = [...events]
    .reverse()
    .filter((e) => `${e.kind} ${e.who} ${e.what} ${e.refusal}`.toLowerCase().includes(filter.toLowerCase()))
  const verify = (): void => {
    setCheckedAt(Date.now())
    announce('The log is read and hashed again')
    history.reload()
  }
  const lines = (): void =>
    download(`audit-${id.slice(0, 11)}.jsonl`, events.map((e) => JSON.stringify({ ...e, contract: id })).join('\n'), 'application/x-ndjson')
  const holds = !history.error && history.value
  return (
    <section>
      <header class="page-head">
        <h1>Audit</h1>
        <p class="dim">
          {asked.contract?.facts.name}. Who did what, each line signed by its author and by the enclave, in a log that only grows.
        </p>
      </header>
      <div class={`card row wrap between chain ${holds ? '' : 'bad'}`} data-testid="chain" data-holds={holds ? 'yes' : 'no'}>
        <p>
          {history.error ? (
            <>
              <Icon name="fail" /> The log does not hold: it is not shown as true.
            </>
          ) : history.value ? (
            <>
              <Icon name="pass" /> All {history.value.log_size} entries of the log hash to its signed checkpoint, which contains every one
              this machine saw before{checkedAt ? ` (checked again ${when(checkedAt)})` : ''}.
            </>
          ) : (
            <Loading what="Reading the log" />
          )}
        </p>
        <div class="row">
          <button type="button" class="primary" onClick={verify}>
            Check the log again
          </button>
          <button type="button" disabled={!events.length} onClick={lines}>
            Export JSON lines
          </button>
        </div>
      </div>
      {history.error && <TroubleBox trouble={history.error} onRetry={history.reload} />}
      {history.value && (
        <>
          <div class="stats">
            <Stat value={String(events.filter((e) => e.kind === 'contribute').length)} name="contributions" />
            <Stat value={String(events.filter((e) => e.kind === 'run').length)} name="runs" />
            <Stat value={String(events.filter((e) => e.kind === 'refuse').length)} name="refusals" />
            <Stat value={String(events.length)} name="entries of this contract" />
          </div>
          <div class="field inline">
            <label for="filter">Filter</label>
            <input id="filter" type="search" value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
          </div>
          <div class="card table-box" tabIndex={0} role="region" aria-label="Entries of the log">
            <table>
              <caption class="hidden">Entries of the log about this contract, the newest first</caption>
              <thead>
                <tr>
                  <th scope="col" class="number">
                    Entry
                  </th>
                  <th scope="col">Time</th>
                  <th scope="col">Actor</th>
                  <th scope="col">Action</th>
                  <th scope="col">Object</th>
                  <th scope="col">Result</th>
                  <th scope="col">Proof</th>
                </tr>
              </thead>
              <tbody>
                {shown.map((e) => (
                  <tr key={e.index} data-kind={e.kind} data-entry={e.index}>
                    <th scope="row" class="number">
                      {e.index}
                    </th>
                    <td>{when(e.time_ms)}</td>
                    <td>{e.who}</td>
                    <td>{e.kind}</td>
                    <td>{e.what}</td>
                    <td>
                      {e.refusal ? (
                        <span class="bad-text">
                          <Icon name="fail" /> {e.refusal}
                        </span>
                      ) : e.epsilon ? (
                        `recorded, ε ${e.epsilon}`
                      ) : (
                        'recorded'
                      )}
                    </td>
                    <td>
                      <Icon name="pass" /> in the log
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      <Command line={history.line} />
    </section>
  )
}
