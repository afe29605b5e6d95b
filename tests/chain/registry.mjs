// The registry on a real EVM: each call, each refusal by its name, and the gas that docs/chain.md states (--write-gas renews it).
import { codeIsCurrent } from './compile.mjs';
import { leaf, proofHex, rootHex } from './tree.mjs';
import { b32, digest, finish, gasTable, key, makeWorld, say } from './world.mjs';

const w = await makeWorld();
const gas = [['deploying the registry', w.deployed.gasUsed]];
const A = key(1), B = key(2), C = key(3);
const leaves = Array.from({ length: 1200 }, (_, i) => leaf(i));
const origin = 'apex-log/0123456789abcdef', logKey = digest('log key'), evidence = digest('evidence'), manifest = digest('manifest'), program = digest('program');
const ZERO = b32(0), NOBODY = '0x' + '0'.repeat(40), payee = w.account(5).address;
const log = await w.read('idOf', [origin, logKey, A.address]);
const HALF = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n, ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const opening = async (by, changes = {}) => {
  const m = { origin, logKey, key: A.address, evidence, ...changes };
  return [m.origin, m.logKey, m.key, m.evidence, await w.sign(by, 'Open', m)];
};
const admission = async (by, who, what, changes) => [log, who, what, await w.sign(by, 'Admit', { log, key: who, evidence: what }, changes)];
const recording = async (by, m, p, id = log) => [id, m, p, await w.sign(by, 'Contract', { log: id, manifest: m, program: p })];
const anchoring = async (by, size, root, proof, id = log) => [id, BigInt(size), root, proof, await w.sign(by, 'Anchor', { log: id, size: BigInt(size), root })];
const honest = (by, old, size) => anchoring(by, size, rootHex(leaves.slice(0, size)), old ? proofHex(old, leaves.slice(0, size)) : []);
const run = (n, changes = {}) => ({ run: BigInt(n), manifest, program, request: digest('request'), inputs: digest('inputs'), output: digest('output'), payee, ...changes });
const committing = async (by, what, id = log) => [id, what, await w.sign(by, 'Run', { log: id, ...what })];

async function refuses(name, functionName, args, more) {
  const said = await w.refusal(functionName, args, more);
  return said === name ? [] : [`${functionName}: ${said} instead of ${name}`];
}

async function proves(sentence, wrong) {
  const all = (await Promise.all(wrong)).flat();
  say(all.length === 0, sentence, all);
}

async function spends(name, functionName, args, more) {
  const receipt = await w.send(functionName, args, more);
  gas.push([name, receipt.gasUsed]);
  return receipt;
}

// -- opening and admitting ----------------------------------------------------------------------------------------------------------------------------
await proves('nothing is taken for a log that is not open', [
  refuses('UnknownLog', 'admit', await admission(A, B.address, evidence)),
  refuses('UnknownLog', 'record', await recording(A, manifest, program)),
  refuses('UnknownLog', 'anchor', await honest(A, 0, 3)),
  refuses('UnknownLog', 'commit', await committing(A, run(1))),
]);
await proves('a log is opened by the key its id is made of, and by no other', [
  refuses('NotSignedByKey', 'open', await opening(B)),
  refuses('NotSignedByKey', 'open', [origin, logKey, A.address, digest('other'), (await opening(A))[4]]),
  refuses('NotSignedByKey', 'open', [origin, digest('other'), A.address, evidence, (await opening(A))[4]]),
  refuses('BadOrigin', 'open', await opening(A, { origin: '' })),
  refuses('BadOrigin', 'open', await opening(A, { origin: 'x'.repeat(129) })),
  refuses('NoEvidence', 'open', await opening(A, { evidence: ZERO })),
  refuses('BadSignature', 'open', [origin, logKey, A.address, evidence, { r: ZERO, s: ZERO, v: 27 }]),
  refuses('BadSignature', 'open', [origin, logKey, A.address, evidence, { ...(await opening(A))[4], v: 0 }]),
]);
await spends('open a log (`open`)', 'open', await opening(A), { from: w.wallet(3) }); // whoever pays
await proves('a log is opened once', [refuses('AlreadyOpen', 'open', await opening(A))]);
const squatter = await opening(B, { key: B.address });
await w.send('open', squatter);
say((await w.read('idOf', [origin, logKey, B.address])) !== log && (await w.read('admitted', [log, B.address])) === 0n, 'who opens a log of the same name with another key has opened another log');

const mirrored = async (args) => {
  const s = args.at(-1);
  return [...args.slice(0, -1), { r: s.r, s: b32(ORDER - BigInt(s.s)), v: 55 - s.v }];
};
await proves('only a key that speaks for the log admits another, on this chain and this registry, with s in the lower half', [
  refuses('NotAdmitted', 'admit', await admission(B, B.address, digest('b'))),
  refuses('NotAdmitted', 'admit', await admission(A, B.address, digest('b'), { chainId: 1 })),
  refuses('NotAdmitted', 'admit', await admission(A, B.address, digest('b'), { verifyingContract: payee })),
  refuses('NotAdmitted', 'admit', await admission(A, B.address, digest('b'), { version: '2' })),
  refuses('HighS', 'admit', await mirrored(await admission(A, B.address, digest('b')))),
  refuses('HighS', 'admit', [log, B.address, digest('b'), { r: b32(1), s: b32(HALF + 1n), v: 27 }]),
  refuses('NoKey', 'admit', await admission(A, NOBODY, digest('b'))),
  refuses('NoEvidence', 'admit', await admission(A, B.address, ZERO)),
  refuses('AlreadyAdmitted', 'admit', await admission(A, A.address, evidence)),
  refuses('EvidenceOfAnotherKey', 'admit', await admission(A, B.address, evidence)),
]);
await spends('admit another key (`admit`)', 'admit', await admission(A, B.address, digest('b')));
await spends('newer evidence of a key (`admit`)', 'admit', await admission(B, A.address, digest('a2')));
say((await w.read('admitted', [log, B.address])) > 0n && (await w.refusal('admit', await admission(B, C.address, digest('c')))) === null, 'a key that was admitted speaks for the log');

// -- contracts ----------------------------------------------------------------------------------------------------------------------------------------
await proves('a contract is recorded by a key that speaks for the log', [
  refuses('NotAdmitted', 'record', await recording(C, manifest, program)),
  refuses('NoDigest', 'record', await recording(A, ZERO, program)),
  refuses('NoDigest', 'record', await recording(A, manifest, ZERO)),
  refuses('UnknownContract', 'commit', await committing(A, run(7))),
]);
await spends('record a contract (`record`)', 'record', await recording(A, manifest, program));
await proves('and never becomes another', [
  refuses('AlreadyDeployed', 'record', await recording(B, manifest, program)),
  refuses('OtherProgram', 'record', await recording(A, manifest, digest('other program'))),
]);
const text = await w.read('addressText', ['0x' + 'ff'.repeat(31) + '01']);
say(text === 'apex1' + '7'.repeat(49) + '4aq', 'addresses are written as the client writes them', text);

// -- anchors ------------------------------------------------------------------------------------------------------------------------------------------
await proves('the first anchor needs a size and a key, and no proof', [
  refuses('AnchorShrinks', 'anchor', await anchoring(A, 0, ZERO, [])),
  refuses('NotConsistent', 'anchor', await anchoring(A, 3, rootHex(leaves.slice(0, 3)), [ZERO])),
  refuses('NotAdmitted', 'anchor', await honest(C, 0, 3)),
]);
await spends('first anchor (`anchor`)', 'anchor', await honest(A, 0, 3));
const forked = [...leaves.slice(0, 2), leaf('rewritten'), ...leaves.slice(3, 9)];
await proves('an anchor never shrinks, repeats, contradicts or leaves the log it continues', [
  refuses('AnchorShrinks', 'anchor', await honest(A, 0, 2)),
  refuses('AnchorRepeats', 'anchor', await honest(A, 0, 3)),
  refuses('AnchorContradicts', 'anchor', await anchoring(A, 3, digest('fork'), [])),
  refuses('NotConsistent', 'anchor', await anchoring(A, 9, rootHex(forked), proofHex(3, forked))),
  refuses('NotConsistent', 'anchor', await anchoring(A, 9, rootHex(leaves.slice(0, 9)), [])),
  refuses('NotConsistent', 'anchor', await anchoring(A, 9, rootHex(leaves.slice(0, 9)), [...proofHex(3, leaves.slice(0, 9)), ZERO])),
  refuses('NotConsistent', 'anchor', await anchoring(A, 9, rootHex(leaves.slice(0, 9)), Array(65).fill(ZERO))),
  refuses('NotAdmitted', 'anchor', [...(await honest(A, 3, 9)).slice(0, 2), digest('other root'), ...(await honest(A, 3, 9)).slice(3)]),
]);
const sizes = [4, 5, 7, 8, 16, 17, 63, 64, 65, 127, 300, 512, 999];
let old = 3;
for (const size of sizes) {
  const args = await honest(size % 2 ? A : B, old, size);
  if (old === 300) gas.push([`anchor after one of 300 entries, proof of ${args[3].length} hashes (\`anchor\`)`, (await w.send('anchor', args)).gasUsed]);
  else await w.send('anchor', args);
  old = size;
}
const anchors = await w.reader.getContractEvents({ address: w.registry, abi: w.abi, eventName: 'Anchored', args: { log }, fromBlock: 0n });
const linked = anchors.every((e, i) => e.args.previous === (i ? anchors[i - 1].blockNumber : 0n));
say(anchors.length === sizes.length + 1 && linked, 'each anchor is an event that names the block of the one before', anchors.length);
let bad = [];
for (let n1 = 1; n1 <= 33; n1 += 4)
  for (let n2 = n1 + 1; n2 <= 40; n2 += 7) bad.push([n1, n2]);
bad = await pairs(bad);
say(bad.length === 0, 'the chain takes every consistency proof of RFC 9162 and none of them for another root', bad);

// Every pair of sizes on a log of its own, in a block that is thrown away.
async function pairs(list) {
  const wrong = [];
  const snapshot = await w.test.snapshot();
  for (const [n1, n2] of list) {
    const name = `pair/${n1}/${n2}`, id = await w.read('idOf', [name, logKey, A.address]);
    await w.send('batch', [[w.encode('open', await opening(A, { origin: name })), w.encode('anchor', await anchoring(A, n1, rootHex(leaves.slice(0, n1)), [], id))]]);
    const proof = proofHex(n1, leaves.slice(0, n2));
    const good = await w.refusal('anchor', await anchoring(A, n2, rootHex(leaves.slice(0, n2)), proof, id));
    const other = await w.refusal('anchor', await anchoring(A, n2, rootHex([...leaves.slice(0, n2 - 1), leaf('x')]), proof, id));
    if (good !== null || other !== 'NotConsistent') wrong.push([n1, n2, good, other]);
  }
  await w.test.revert({ id: snapshot });
  return wrong;
}

// -- runs, batches ------------------------------------------------------------------------------------------------------------------------------------
await proves('a run is committed by a key that speaks for the log, for a recorded contract and its program', [
  refuses('NotAdmitted', 'commit', await committing(C, run(7))),
  refuses('NotAdmitted', 'commit', [log, run(7, { payee: w.account(6).address }), (await committing(A, run(7)))[2]]),
  refuses('UnknownContract', 'commit', await committing(A, run(7, { manifest: digest('none') }))),
  refuses('OtherProgram', 'commit', await committing(A, run(7, { program: digest('other') }))),
]);
await spends('commit a run (`commit`)', 'commit', await committing(A, run(7)));
await proves('and never becomes another', [
  refuses('AlreadyCommitted', 'commit', await committing(B, run(7))),
  refuses('RunContradicts', 'commit', await committing(A, run(7, { output: digest('another answer') }))),
  refuses('RunContradicts', 'commit', await committing(A, run(7, { payee: w.account(6).address }))),
]);
const many = [w.encode('commit', await committing(A, run(8))), w.encode('commit', await committing(A, run(9))), w.encode('anchor', await honest(A, 999, 1200))];
await proves('a batch is taken whole or not at all, says why, and takes no money', [
  refuses('AlreadyCommitted', 'batch', [[...many, w.encode('commit', await committing(A, run(7)))]]),
  refuses('UnknownContract', 'batch', [[w.encode('deposit', [log, digest('none'), digest('request'), 1n << 40n])]]).then((x) => (x.length ? [] : ['deposit in a batch'])),
]);
await spends('an anchor and two runs in one transaction (`batch`)', 'batch', [many]);
say((await w.read('runs', [log, 9n]))[1] === payee && (await w.read('heads', [log]))[0] === 1200n, 'and then all of it stands');

// -- fees ---------------------------------------------------------------------------------------------------------------------------------------------
const now = (await w.reader.getBlock()).timestamp, day = 86400n, fee = 10n ** 15n;
await proves('a deposit is money, for a recorded contract, until a day within a year', [
  refuses('NothingDeposited', 'deposit', [log, manifest, digest('request'), now + day]),
  refuses('BadDeadline', 'deposit', [log, manifest, digest('request'), now], { value: fee }),
  refuses('BadDeadline', 'deposit', [log, manifest, digest('request'), now + 367n * day], { value: fee }),
  refuses('UnknownContract', 'deposit', [log, digest('none'), digest('request'), now + day], { value: fee }),
  refuses('UnknownDeposit', 'withdraw', [0n, run(7)]),
  refuses('UnknownDeposit', 'refund', [0n]),
]);
await spends('deposit a fee (`deposit`)', 'deposit', [log, manifest, digest('request'), now + day], { value: fee });
await w.send('deposit', [log, manifest, digest('request of another'), now + day], { value: 2n * fee });
await proves('it goes to the payee of a committed run that answers its request, and back only after its deadline', [
  refuses('OtherRun', 'withdraw', [0n, run(11)]),
  refuses('OtherRun', 'withdraw', [0n, run(7, { payee: w.account(6).address })]),
  refuses('OtherRun', 'withdraw', [0n, run(7, { manifest: digest('none') })]),
  refuses('OtherRun', 'withdraw', [1n, run(7)]),
  refuses('TooEarly', 'refund', [0n]),
]);
const before = await w.reader.getBalance({ address: payee });
await spends('withdraw a fee (`withdraw`)', 'withdraw', [0n, run(7)], { from: w.wallet(6) }); // whoever sends it
say((await w.reader.getBalance({ address: payee })) - before === fee, 'the payee has the fee, whoever asked for it to be paid');
await proves('and is paid once', [refuses('UnknownDeposit', 'withdraw', [0n, run(7)]), refuses('UnknownDeposit', 'refund', [0n])]);
await w.later(86401);
const back = await w.reader.getBalance({ address: w.account(0).address });
await spends('refund a fee (`refund`)', 'refund', [1n], { from: w.wallet(6) });
say((await w.reader.getBalance({ address: w.account(0).address })) - back === 2n * fee && (await w.reader.getBalance({ address: w.registry })) === 0n, 'who deposited has it back after the deadline, and the registry keeps nothing');

// A payee that calls back: it gets its fee once, or nothing.
await greedy();
async function greedy() {
  const greedyAddress = '0x00000000000000000000000000000000000900d5';
  const what = run(12, { payee: greedyAddress, request: digest('greedy') });
  await w.send('commit', await committing(A, what));
  const t = (await w.reader.getBlock()).timestamp;
  const id = await w.read('depositCount');
  await w.send('deposit', [log, manifest, digest('greedy'), t + day], { value: fee });
  await w.send('deposit', [log, manifest, digest('someone else s'), t + day], { value: fee });
  const call = w.encode('withdraw', [id, what]).slice(2), len = call.length / 2;
  // Hand-written code that, paid, calls the registry once more with the same words.
  const body = (at) =>
    '61' + len.toString(16).padStart(4, '0') + '61' + at.toString(16).padStart(4, '0') + '6000' + '39' + // codecopy(0, at, len)
    '6000' + '6000' + '61' + len.toString(16).padStart(4, '0') + '6000' + '6000' + '73' + w.registry.slice(2).toLowerCase() + '5a' + 'f1' + '00'; // call(gas, registry, 0, 0, len, 0, 0); stop
  const at = body(0).length / 2;
  await w.test.setCode({ address: greedyAddress, bytecode: '0x' + body(at) + call });
  await w.send('withdraw', [id, what]);
  say((await w.reader.getBalance({ address: greedyAddress })) === fee && (await w.reader.getBalance({ address: w.registry })) === fee, 'a payee that calls back while it is paid is paid once');
  const unpayable = '0x00000000000000000000000000000000000bad00';
  await w.test.setCode({ address: unpayable, bytecode: '0x60006000fd' });
  const stuck = run(13, { payee: unpayable, request: digest('someone else s') });
  await w.send('commit', await committing(A, stuck));
  await proves('a payee that takes no money leaves the deposit as it was', [refuses('NotPaid', 'withdraw', [id + 1n, stuck])]);
}

say(codeIsCurrent(), 'the code that C deploys and pins is what the source compiles to');
gasTable(gas, process.argv.includes('--write-gas'));
w.stop();
finish();
