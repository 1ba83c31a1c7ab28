// Bundles the GraphiQL page (the `prepare` script). Where the page tools are not installed (`npm ci --omit=dev`) there
// is nothing to do: the gateway then serves the page only if it was built before.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));

/** Loads Vite if it is installed; null otherwise. */
async function loadVite() {
  try {
    return await import('vite');
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}

// The page tools need a newer Node than the machine's own may be; scripts run on the pinned one, which npm installed.
const vite = await loadVite();
if (vite === null) {
  process.stdout.write('The GraphiQL page was not built: its tools are not installed.\n');
} else {
  await vite.build({
    root,
    base: '/graphiql/',
    configFile: false,
    logLevel: 'error',
    build: { outDir: 'dist', emptyOutDir: true, chunkSizeWarningLimit: 9_999, reportCompressedSize: false },
    worker: { format: 'es' },
  });
}
