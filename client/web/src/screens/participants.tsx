import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import * as api from '../api'
import type { Route } from '../router'
import { count, short, when } from '../format'
import { Chip, Command, Copy, Dialog, Loading, TroubleBox } from '../parts'
import { complain, say, useAct, useContract } from '../store'
import type { Event, Sent } from '../types'
import { useMe } from './contracts'

export interface History {
  log_size: number
  events: Event[]
}

// What the log says a party has given and not taken back.
export function standing(events: Event[], who: string): Event[] {
  const taken = new Set(events.filter((e) => e.kind === 'withdraw').map((e) => Number(/contribution (\d+)/.exec(e.what)?.[1])))
  return events.filter((e) => e.kind === 'contribute' && e.who === who && !taken.has(e.index))
}

export function Participants({ route }: { route: Route }): JSX.Element {
  const { place, id } = route
  const asked = useContract(place, id)
  const history = useAct<History>(place, { act: 'audit', address: id })
  const me = useMe(place)
  const [sent, setSent] = useState<Sent[]>([])
  const [leaving, setLeaving] = useState<number | null>(null)
  useEffect(() => void api.sent(place).then(setSent, () => undefined), [place, history.value])
  const withdraw = async (contribution: number): Promise<void> => {
    setLeaving(null)
    try {
      const { job } = await api.run(place, { act: 'withdraw', address: id, contribution })
      say('done', `Contribution ${contribution} is withdrawn: later runs do not see it.`, { line: job.line })
      history.reload()
    } catch (e) {
      complain(e)
    }
  }
  const c = asked.contract
  const events = history.value?.events ?? []
  const mine = c?.manifest.parties.find((p) => p.sign === me.value?.sign)
  return (
    <section>
      <header class="page-head">
        <h1>Participants</h1>
        <p class="dim">{c?.facts.name}. Of others you see whether they gave something, never what or how much.</p>
      </header>
      {(asked.error ?? history.error) && (
        <TroubleBox
          trouble={(asked.error ?? history.error)!}
          onRetry={() => {
            asked.reload()
            history.reload()
          }}
        />
      )}
      {!c && asked.loading && <Loading what="Reading the contract" />}
      {c && (
        <div class="card table-box">
          <table>
            <caption class="hidden">Participants of {c.facts.name}</caption>
            <thead>
              <tr>
                <th scope="col">Party</th>
                <th scope="col">May</th>
                <th scope="col">Key</th>
                <th scope="col">Accepted</th>
                <th scope="col">Contribution</th>
              </tr>
            </thead>
            <tbody>
              {c.manifest.parties.map((p) => {
                const facts = c.facts.parties.find((f) => f.name === p.name)
                const given = standing(events, p.name)
                const own = p === mine
                return (
                  <tr key={p.name}>
                    <th scope="row">
                      {p.name}
                      {own && (
                        <>
                          {' '}
                          <span class="tag">you</span>
                        </>
                      )}
                    </th>
                    <td>{p.may.join(', ')}</td>
                    <td>
                      <span class="hash">
                        <code title={p.sign}>{short(p.sign)}</code>
                        <Copy text={p.sign} what={`key of ${p.name}`} />
                      </span>
                    </td>
                    <td>
                      {!facts?.approves ? (
                        <span class="dim">not asked</span>
                      ) : facts.accepted ? (
                        <Chip tone="good" icon="pass">
                          accepted
                        </Chip>
                      ) : (
                        <Chip tone="amber" icon="wait">
                          not yet
                        </Chip>
                      )}
                    </td>
                    <td>
                      {given.length === 0 ? (
                        <span class="dim">nothing yet</span>
                      ) : !own ? (
                        <Chip tone="good" icon="pass">
                          contributed
                        </Chip>
                      ) : (
                        <ul class="plain">
                          {given.map((g) => {
                            const s = sent.find((x) => x.receipt.contribution === g.index && x.address === id)
                            return (
                              <li key={g.index} class="row wrap">
                                {g.what.split(',')[0]}
                                {s ? `: ${count(s.receipt.rows)} rows` : ''}{' '}
                                <span class="dim">
                                  entry {g.index}, {when(g.time_ms)}
                                </span>{' '}
                                <button type="button" class="small" onClick={() => setLeaving(g.index)}>
                                  Withdraw
                                </button>
                              </li>
                            )
                          })}
                        </ul>
                      )}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      )}
      <Dialog open={leaving !== null} title="Withdraw this contribution?" onClose={() => setLeaving(null)}>
        <p>
          Later runs of the contract do not see it. Answers that were given before stay what they are. The withdrawal is signed and stays in
          the log.
        </p>
        <Command line={`apex withdraw ${id} ${leaving}`} />
        <div class="row">
          <button type="button" class="danger" onClick={() => void withdraw(leaving!)}>
            Withdraw contribution {leaving}
          </button>
        </div>
      </Dialog>
      <Command line={history.line} />
    </section>
  )
}
