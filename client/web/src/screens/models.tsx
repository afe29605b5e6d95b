import type { JSX } from 'preact'
import { when } from '../format'
import { Command, Empty, Loading, TroubleBox } from '../parts'
import { link, type Route } from '../router'
import { useAct, useContract } from '../store'
import type { History } from './participants'
import { AnswerCard, useResults } from './results'

const judged = ['evaluate', 'compare', 'train', 'predict', 'score', 'model']

export function Models({ route }: { route: Route }): JSX.Element {
  const { place, id } = route
  const asked = useContract(place, id)
  const history = useAct<History>(place, { act: 'audit', address: id })
  const { kept } = useResults(place)
  const c = asked.contract
  if (asked.error && !c) return <TroubleBox trouble={asked.error} onRetry={asked.reload} />
  if (!c) return <Loading what="Reading the contract" />
  const events = history.value?.events ?? []
  const trains = new Set(c.manifest.functions.filter((f) => f.trains).map((f) => f.name))
  const ended = new globalThis.Map(events.filter((e) => e.kind === 'result').map((e) => [Number(/run (\d+)/.exec(e.what)?.[1]), e]))
  const models = events.filter((e) => e.kind === 'run' && trains.has(e.what.split(',')[0]!) && ended.has(e.index)).reverse()
  const answers = (kept ?? []).filter((k) => k.address === id && judged.includes(k.function))
  return (
    <section>
      <header class="page-head">
        <h1>Models</h1>
        <p class="dim">{c.facts.name}. Models stay in the contract; later runs use them.</p>
      </header>
      {trains.size === 0 && (
        <Empty icon="models" title="This contract keeps no models">
          <p>Its functions: {c.manifest.functions.map((f) => f.name).join(', ')}.</p>
        </Empty>
      )}
      {trains.size > 0 && models.length === 0 && (
        <Empty icon="models" title="No model was trained yet">
          <p>
            <a class="button" href={link(place, 'analyse', id, '', { function: [...trains][0]! })}>
              Train one
            </a>
          </p>
        </Empty>
      )}
      {models.length > 0 && (
        <div class="card table-box">
          <table>
            <caption>Kept in the contract</caption>
            <thead>
              <tr>
                <th scope="col">Version</th>
                <th scope="col">Trained by</th>
                <th scope="col">When</th>
                <th scope="col">From</th>
                <th scope="col">Code</th>
                <th scope="col">Figures</th>
              </tr>
            </thead>
            <tbody>
              {models.map((m) => {
                const answer = answers.find((k) => k.run === m.index)
                return (
                  <tr key={m.index}>
                    <th scope="row">run {m.index}</th>
                    <td>{m.who}</td>
                    <td>{when(m.time_ms)}</td>
                    <td>{/from ([^,]*)/.exec(ended.get(m.index)!.what)?.[1]}</td>
                    <td>
                      <code>{c.facts.program.slice(0, 18)}…</code>
                    </td>
                    <td>
                      {answer ? <a href={link(place, 'result', answer.name)}>see</a> : <span class="dim">open it under Results</span>}
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      )}
      {answers.length > 0 && (
        <>
          <h2>Judged and used</h2>
          <ul class="cards">
            {answers.map((k) => (
              <AnswerCard key={k.name} place={place} kept={k} heading="h3" />
            ))}
          </ul>
        </>
      )}
      <Command line={history.line} />
    </section>
  )
}
