// Makes tests/chain/vectors.h: statements, calls and transactions as viem makes them, for tests/test_chain.c to be held against.
//     node tests/chain/vectors.mjs          are they current? (a line for tools/check)
//     node tests/chain/vectors.mjs --write
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeAbiParameters, encodeFunctionData, getContractAddress, hashTypedData, keccak256, parseSignature, toHex, toRlp } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { compile } from './compile.mjs';
import { b32, digest, TYPES } from './world.mjs';

const { abi } = compile();
const me = privateKeyToAccount(b32(0x1234));
const domain = { name: 'APEX', version: '1', chainId: 31337, verifyingContract: '0x00112233445566778899aabbccddeeff00112233' };
const [log, manifest, program, root, request, inputs, output, evidence, logKey] = ['log', 'manifest', 'program', 'root', 'request', 'inputs', 'output', 'evidence', 'log key'].map(digest);
const origin = 'apex-log/0123456789abcdef', payee = '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf', key = me.address;
const proof = [digest('p1'), digest('p2'), digest('p3')];
const run = { run: 77n, manifest, program, request, inputs, output, payee };
const messages = { Open: { origin, logKey, key, evidence }, Admit: { log, key, evidence }, Contract: { log, manifest, program }, Anchor: { log, size: 123456789012n, root }, Run: { log, ...run } };
const call = {
  Open: (s) => ['open', [origin, logKey, key, evidence, s]],
  Admit: (s) => ['admit', [log, key, evidence, s]],
  Contract: (s) => ['record', [log, manifest, program, s]],
  Anchor: (s) => ['anchor', [log, 123456789012n, root, proof, s]],
  Run: (s) => ['commit', [log, run, s]],
};

const lines = ['/* Made by tests/chain/vectors.mjs with viem. */'];
const put = (name, value) => lines.push(`#define ${name} "${value.startsWith('0x') ? value.slice(2).toLowerCase() : value}"`);
put('V_KEY', b32(0x1234));
put('V_ADDRESS', key);
put('V_CHECKSUMMED', ' ' + key);
put('V_REGISTRY', domain.verifyingContract);
put('V_PAYEE', payee);
const calls = [];
for (const [name, message] of Object.entries(messages)) {
  const typed = { domain, types: { [name]: TYPES[name].map(([type, field]) => ({ type, name: field })) }, primaryType: name, message };
  const { r, s, yParity } = parseSignature(await me.signTypedData(typed));
  const [functionName, args] = call[name]({ r, s, v: 27 + yParity });
  calls.push(encodeFunctionData({ abi, functionName, args }));
  put(`V_${name.toUpperCase()}_DIGEST`, hashTypedData(typed));
  put(`V_${name.toUpperCase()}_CALL`, calls.at(-1));
}
put('V_BATCH', encodeFunctionData({ abi, functionName: 'batch', args: [calls] }));
put('V_LOG_ID', keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'address' }], [digest(origin), logKey, key])));
put('V_RUN_KEPT', keccak256(encodeAbiParameters([abi.find((f) => f.name === 'commit').inputs[1]], [run])));

const txs = [
  { chainId: 31337, nonce: 0, maxPriorityFeePerGas: 0n, maxFeePerGas: 1n, gas: 21000n, to: payee, data: '0x' },
  { chainId: 1, nonce: 127, maxPriorityFeePerGas: 1500000000n, maxFeePerGas: 30000000000n, gas: 90001n, to: domain.verifyingContract, data: calls[3] },
  { chainId: 4294967297, nonce: 1000000, maxPriorityFeePerGas: 128n, maxFeePerGas: 18446744073709551615n, gas: 5000000n, data: '0x' + 'ab'.repeat(300) },
];
for (const [i, tx] of txs.entries()) {
  const raw = await me.signTransaction({ type: 'eip1559', ...tx });
  put(`V_TX${i}_RAW`, raw);
  put(`V_TX${i}_HASH`, keccak256(raw));
}
put('V_CREATED_0', getContractAddress({ from: key, nonce: 0n }));
put('V_CREATED_300', getContractAddress({ from: key, nonce: 300n }));
put('V_RLP', toRlp([toHex(''), '0x00', '0x7f', '0x80', toHex('a'.repeat(55)), toHex('a'.repeat(56)), [], [['0x01']], toHex('b'.repeat(300))]));

const out = fileURLToPath(new URL('vectors.h', import.meta.url)), text = lines.join('\n') + '\n';
if (process.argv[2] === '--write') writeFileSync(out, text);
const same = readFileSync(out, 'utf8') === text;
console.log((same ? 'ok - ' : 'not ok - ') + 'the vectors C is held against are what viem makes of the registry');
process.exit(same ? 0 : 1);
