import { type CommandReport, succeeded } from './report.ts';

/**
 * Loads what `serve` and the sandbox load, so that their compiled code is kept and already the first start is quick. Run
 * once by npm after an installation; what is not installed (the sandbox in production) is left out and told.
 */
export async function runWarm(): Promise<CommandReport> {
  const loading = {
    gateway: import('#gateway/http/gateway-server.ts'),
    domains: import('#gateway/wiring.ts'),
    command: import('./serve.ts'),
    roles: Promise.all([import('./boot-all.ts'), import('./boot-gateway.ts'), import('./boot-subgraph.ts')]),
    sandbox: import('./sandbox.ts').then(({ loadSandbox }) => loadSandbox()),
  };
  const outcomes = await Promise.allSettled(Object.values(loading));
  const left = Object.keys(loading).filter((_, at) => outcomes[at]?.status === 'rejected');
  return succeeded(
    left.length === 0
      ? 'Compiled code is kept for quick starts.'
      : `Compiled code is kept for quick starts, but not of: ${left.join(', ')}.`,
  );
}
