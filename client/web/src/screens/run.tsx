import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import * as api from '../api'
import { elapsed } from '../format'
import { Command, Empty, Icon, Loading, Progress, TroubleBox } from '../parts'
import { link, type Route } from '../router'
import { say, useJob } from '../store'
import type { Job, Trouble } from '../types'
import { title } from './analyse'

// What the job is doing, in the words of the steps below.
export function phase(j: Job): number {
  if (j.state !== 'running') return 4
  if (!j.stage) return 0
  if (/^run \d+: computing/.test(j.stage)) return 3
  if (/^run \d+/.test(j.stage)) return 2
  return 1
}
const steps = ['attesting', 'sealing the question', 'queued in the enclave', 'computing']
const ends: Record<Job['state'], string> = { running: 'done', done: 'done', failed: 'not answered', cancelled: 'not waited for' }

export function Run({ route }: { route: Route }): JSX.Element {
  const { place, id, more } = route
  const { job, error } = useJob(Number(more) || null)
  const told = useRef(false)
  const wasRunning = useRef(false)
  useEffect(() => {
    if (job?.state === 'running') wasRunning.current = true
    if (!job || job.state === 'running' || told.current || !wasRunning.current) return
    told.current = true
    if (job.state === 'done') say('done', `${title(String(job.request.function))} is done.`, { line: job.line })
    const result = (job.output as { result?: string } | undefined)?.result
    if (job.state === 'done' && result) location.replace(link(place, 'result', result))
  }, [job?.state])
  if (!job) return error ? <TroubleBox trouble={error} /> : <Loading what="Looking for the run" />
  const name = title(String(job.request.function))
  const out = job.output as { result?: string; error?: Trouble } | undefined
  const run = /^run (\d+)/.exec(job.stage)?.[1]
  const spent = (job.ended_ms ?? job.now_ms) - job.started_ms
  const now = phase(job)
  const phases = [...steps, ends[job.state]]
  const word = /waiting for the node/.test(job.stage) ? 'waiting for the node, which does not answer now' : phases[now]!
  return (
    <section data-testid="run" data-state={job.state}>
      <header class="page-head">
        <h1>{name}</h1>
        <p class="dim">{(job.request.params as string[] | undefined)?.join(', ')}</p>
      </header>
      {error && <TroubleBox trouble={error} />}
      <ol class="stepper" aria-label="States of the run">
        {phases.map((p, i) => (
          <li key={p} class={i < now ? 'past' : i === now ? 'now' : ''} aria-current={i === now ? 'step' : undefined}>
            <span>{i < now ? '✓' : i + 1}</span>
            {p}
          </li>
        ))}
      </ol>
      {job.state === 'running' && (
        <div class="card">
          <p role="status" data-testid="stage">
            <strong>{word}</strong>
            {run && (
              <>
                {' '}
                <span class="dim">run {run} of the log</span>
              </>
            )}{' '}
            <span class="dim">{elapsed(spent)}</span>
          </p>
          <Progress done={now === 3 ? job.done : 0} total={now === 3 ? job.total : 0} label={word} />
          <p class="dim">You can leave this page or close it: the run goes on, and is found again here and under Results.</p>
          <button type="button" onClick={() => void api.cancel(job.id)}>
            Cancel
          </button>
        </div>
      )}
      {job.state === 'done' && (
        <Empty icon="pass" title={`Done in ${elapsed(spent)}`}>
          <p>
            <a class="button primary" href={link(place, 'result', out?.result ?? '')}>
              See the answer
            </a>
          </p>
        </Empty>
      )}
      {job.state === 'cancelled' && (
        <Empty icon="off" title="You stopped waiting">
          {run ? (
            <p>
              The run is entry {run} of the log and goes on: a question that was recorded cannot be taken back. Its answer can be fetched
              later.
            </p>
          ) : (
            <p>The question was not recorded as far as is known; see Audit.</p>
          )}
          {run && <Command line={`apex result ${id} ${run} -o result.json`} />}
        </Empty>
      )}
      {job.state === 'failed' && out?.error && <Refused trouble={out.error} place={place} address={id} fn={String(job.request.function)} />}
      <Command line={job.line} />
    </section>
  )
}

const Refused = ({ trouble, place, address, fn }: { trouble: Trouble; place: string; address: string; fn: string }): JSX.Element => (
  <>
    <TroubleBox trouble={trouble} />
    <p>
      <Icon name="info" /> It cost the other parties nothing.{' '}
      <a href={link(place, 'analyse', address, '', { function: fn })}>Change the question</a>
    </p>
  </>
)
