import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import * as api from '../api'
import { link, type Route } from '../router'
import { short, when } from '../format'
import { Chip, Command, Copy, Dialog, Empty, Field, Icon, Loading, TroubleBox } from '../parts'
import { complain, contractOf, say, session, trust, useAct } from '../store'
import type { Contract, Facts, Trust } from '../types'

export interface Listed {
  contracts: { address: string; contract: Facts }[]
}
export const useContracts = (place: string, ready: boolean) => {
  const asked = useAct<Listed>(place, ready ? { act: 'contract list' } : null)
  const list = (asked.value?.contracts ?? []).map((c) => contractOf(c.address, c.contract)).filter((c): c is Contract => c !== null)
  return { ...asked, list }
}
export const trusted = (word: string | undefined): boolean => word === 'verified' || word === 'simulated'
// Why nothing can be sealed to a contract, or asked of it, now; "": it can. libapex refuses the same, whatever the page says.
export function whyNot(t: Trust | undefined, contract: Contract, me: string | undefined, right: 'contribute' | 'run'): string {
  const { facts, manifest } = contract
  const mine = manifest.parties.find((p) => p.sign === me)
  if (!trusted(t?.word)) return `the enclave is not trusted now (${t?.word ?? 'checking'})`
  if (!manifest.enclaves.some((e) => e.measurement === t?.verdict?.measurement))
    return 'the contract names another enclave than this node has'
  if (facts.state !== 'active') return `the contract is ${facts.state}${facts.state === 'deployed' ? ': not all have accepted it' : ''}`
  if (me && !mine) return 'you are no party of this contract'
  return mine && !mine.may.includes(right) ? `the contract does not let you ${right}` : ''
}
export const useMe = (place: string) => useAct<{ name: string; sign: string; seal: string }>(place, { act: 'id show' })

const tones: Record<string, [string, string]> = {
  active: ['good', 'pass'],
  deployed: ['amber', 'wait'],
  expired: ['plain', 'off'],
  closed: ['plain', 'off'],
}

function Card({ place, contract, me }: { place: string; contract: Contract; me: string }): JSX.Element {
  const { facts, manifest, address } = contract
  const mine = manifest.parties.find((p) => p.sign === me)
  const waiting = facts.parties.filter((p) => p.approves && !p.accepted)
  const needs = mine && waiting.some((p) => p.name === mine.name) ? 'Your acceptance is asked for' : null
  const [tone, icon] = tones[facts.state] ?? ['plain', 'info']
  return (
    <li class="card contract-card">
      <div class="row between">
        <h2>
          <a href={link(place, 'contract', address)}>{facts.name}</a>
        </h2>
        <Chip tone={tone!} icon={icon!}>
          {facts.state}
        </Chip>
      </div>
      <p>{manifest.purpose}</p>
      <p class="row wrap dim">
        <span class="hash">
          <code title={address}>{short(address)}</code>
          <Copy text={address} what="address" />
        </span>
        <span>{manifest.parties.length} parties</span>
        <span>{facts.entries} entries in the log</span>
        <span>until {when(Date.parse(manifest.expires)).slice(0, 10)}</span>
      </p>
      {needs && (
        <p class="needs">
          <Icon name="bell" /> <a href={link(place, 'contract', address)}>{needs}</a>
        </p>
      )}
      {!needs && waiting.length > 0 && (
        <p class="dim">
          <Icon name="wait" /> waiting for {waiting.map((p) => p.name).join(', ')}
        </p>
      )}
      {!mine && (
        <p class="dim">
          <Icon name="info" /> You are no party of this contract: you can look, not take part.
        </p>
      )}
    </li>
  )
}

// A manifest that was agreed on, and the program it names, put into the log at the address of its bytes.
function Deploy({ place, onDone }: { place: string; onDone: () => void }): JSX.Element {
  const [open, set] = useState(false)
  const [manifest, setManifest] = useState<File | null>(null)
  const [program, setProgram] = useState<File | null>(null)
  const [busy, setBusy] = useState(false)
  const deploy = async (): Promise<void> => {
    setBusy(true)
    try {
      const [m, p] = await Promise.all(
        [manifest!, program!].map((f) => api.upload(place, f.name, f, () => undefined, new AbortController().signal)),
      )
      const { output, job } = await api.run<{ address: string }>(place, { act: 'contract deploy', manifest: m!.id, program: p!.id })
      say('done', `Deployed at ${output.address}. Every approver has to accept it now.`, { line: job.line })
      set(false)
      onDone()
    } catch (e) {
      complain(e)
    }
    setBusy(false)
  }
  const file = (label: string, hint: string, take: (f: File | null) => void): JSX.Element => (
    <Field label={label} hint={hint}>
      {(a) => <input {...a} type="file" onChange={(e) => take(e.currentTarget.files?.[0] ?? null)} />}
    </Field>
  )
  return (
    <>
      <button type="button" onClick={() => set(true)}>
        New contract
      </button>
      <Dialog open={open} title="New contract" onClose={() => set(false)}>
        <p>
          A contract is a manifest that people have read and agreed on, and the program it names. Its address is the hash of the manifest's
          bytes, so neither can change afterwards.
        </p>
        {file('Manifest', 'made with apex contract new, or by a partner', setManifest)}
        {file('Program', 'the ELF that apex contract build made from the source the manifest names', setProgram)}
        <div class="row">
          <button type="button" class="primary" disabled={!manifest || !program || busy} onClick={() => void deploy()}>
            Deploy
          </button>
        </div>
        <Command line={`apex contract deploy ${manifest?.name ?? 'MANIFEST.json'} ${program?.name ?? 'PROGRAM.elf'}`} />
      </Dialog>
    </>
  )
}

export function Contracts({ route }: { route: Route }): JSX.Element {
  const { place } = route
  const t = trust.use()
  const word = t?.place === place ? t.trust.word : 'checking'
  const asked = useContracts(place, trusted(word))
  const me = useMe(place)
  const s = session.use()
  return (
    <section>
      <header class="page-head">
        <div class="row wrap between">
          <h1>Contracts</h1>
          {trusted(word) && <Deploy place={place} onDone={asked.reload} />}
        </div>
        <p class="dim">Public code at addresses that cannot change, and who agreed to it.</p>
      </header>
      {word === 'unset' && (
        <Empty icon="contracts" title="No node is named yet">
          <p>
            Name the node your partners use in <a href={link(place, 'settings')}>Settings</a>, or see how it works first.
          </p>
          <p>
            <a class="button primary" href="#/try">
              Open the Try it room
            </a>
          </p>
        </Empty>
      )}
      {word === 'unpinned' && (
        <Empty icon="shield" title="You have not said yet which enclave you trust">
          <p>
            Look at the node's evidence and write your trust policy in <a href={link(place, 'settings')}>Settings</a>. Nothing is sent
            before.
          </p>
        </Empty>
      )}
      {asked.error && <TroubleBox trouble={asked.error} onRetry={asked.reload} />}
      {asked.loading && !asked.value && trusted(word) && <Loading what="Reading the log" />}
      {asked.value && asked.list.length === 0 && (
        <Empty icon="contracts" title="There is no contract at this node yet">
          <p>One of the parties writes a manifest and deploys it:</p>
          <Command
            line={`apex contract new contracts/cluster/manifest.json --program cluster.elf --party you.json -o manifest.json && apex contract deploy manifest.json cluster.elf --node ${s?.own.node ?? 'URL'}`}
          />
          <p>
            <a class="button" href="#/try">
              Or open the Try it room: a sample contract with shared data
            </a>
          </p>
        </Empty>
      )}
      <ul class="cards">
        {asked.list.map((c) => (
          <Card key={c.address} place={place} contract={c} me={me.value?.sign ?? ''} />
        ))}
      </ul>
      <Command line={asked.line} />
    </section>
  )
}
