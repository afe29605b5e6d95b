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

export async function startAnvil() {
  const port = await freePort();
  const child = spawn(BINARY, ['--host', '127.0.0.1', '--port', String(port), '--silent'], { stdio: 'ignore' });
  process.on('exit', () => child.kill('SIGKILL'));
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(1));
  const transport = http(`http://127.0.0.1:${port}`, { retryCount: 0 });
  const base = { chain: foundry, transport, pollingInterval: 5, cacheTime: 0 };
  const reader = createPublicClient(base);
  for (let tries = 0; ; tries++) {
    try {
      await reader.getChainId();
      break;
    } catch (e) {
      if (tries > 400) throw e;
      await new Promise((r) => setTimeout(r, 20));
    }
  }
  const account = (i) => mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: i });
  const wallet = (i) => createWalletClient({ ...base, account: account(i) });
  return { reader, test: createTestClient({ ...base, mode: 'anvil' }), wallet, account, stop: () => child.kill('SIGTERM') };
}
