// RFC 9162, section 2.1, as written there: roots and consistency proofs by recursion over the leaves.
import { createHash } from 'node:crypto';

const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest();
export const leaf = (n) => sha256(Buffer.from([0]), Buffer.from(String(n)));
const split = (n) => 2 ** (Math.ceil(Math.log2(n)) - 1);

export function root(leaves) {
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return sha256(Buffer.from([1]), root(leaves.slice(0, k)), root(leaves.slice(k)));
}

function subproof(m, leaves, whole) {
  const n = leaves.length;
  if (m === n) return whole ? [] : [root(leaves)];
  const k = split(n);
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), root(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), root(leaves.slice(0, k))];
}

export const hex = (buffer) => '0x' + buffer.toString('hex');
export const rootHex = (leaves) => hex(root(leaves));
export const proofHex = (old, leaves) => subproof(old, leaves, true).map(hex);
