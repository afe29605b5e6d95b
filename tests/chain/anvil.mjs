// A fresh chain for one test: anvil on a free port of loopback, and what the tests say to it.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createPublicClient, createTestClient, createWalletClient, http } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';

const BINARY = fileURLToPath(new URL('./node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil', import.meta.url));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

// Between the choice of a port and anvil's use of it another process may take it: anvil then ends, and the next port is tried.
async function running() {
  for (let tries = 0; tries < 8; tries++) {
    const port = await freePort();
    const child = spawn(BINARY, ['--host', '127.0.0.1', '--port', String(port), '--silent'], { stdio: 'ignore' });
    process.on('exit', () => child.kill('SIGKILL'));
    const transport = http(`http://127.0.0.1:${port}`, { retryCount: 0 });
    const base = { chain: foundry, transport, pollingInterval: 5, cacheTime: 0 };
    const reader = createPublicClient(base);
    for (let asked = 0; asked < 1500 && child.exitCode === null && child.signalCode === null; asked++) {
      try {
        await reader.getChainId();
        return { child, base, reader };
      } catch {
        await new Promise((r) => setTimeout(r, 20));
      }
    }
    child.kill('SIGKILL');
  }
  throw new Error('anvil does not start');
}

export async function startAnvil() {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(1));
  const { child, base, reader } = await running();
  const account = (i) => mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: i });
  const wallet = (i) => createWalletClient({ ...base, account: account(i) });
  return { reader, test: createTestClient({ ...base, mode: 'anvil' }), wallet, account, stop: () => child.kill('SIGTERM') };
}
