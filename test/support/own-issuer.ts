import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox } from '#sandbox/server.ts';
import { AUDIENCE, startTestIssuer, type TestIssuer } from './gateway.ts';
import type { Product, ProductOptions } from './product-client.ts';
import { startProduct } from './product.ts';

/** A product as a retailer deploys it: its own configuration file and an issuer that is not the sandbox's. */
export interface DeployedProduct extends AsyncDisposable {
  readonly product: Product;
  readonly issuer: TestIssuer;
  /** Address of the sandbox's control port. */
  readonly control: string;
}

/** Starts the systems of the sandbox, a test issuer, and the product over both by configuration file. */
export async function deployProduct(
  options: Pick<ProductOptions, 'nodeArguments' | 'seed'> & {
    /** Changes the text of the configuration file. */
    readonly configure?: (text: string) => string;
  } = {},
): Promise<DeployedProduct> {
  const home = mkdtempSync(join(tmpdir(), 'mortar-e2e-'));
  const [sandbox, issuer] = await Promise.all([
    startSandbox({ sandboxPort: 0, controlPort: 0, home: join(home, 'sandbox'), seed: options.seed ?? 1 }),
    startTestIssuer(),
  ]);
  const close = async (): Promise<void> => {
    await Promise.all([sandbox.close(), issuer.close()]);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const text = readFileSync(sandbox.configFile, 'utf8')
      .replace(/^issuer:\n(?: .*\n)+/m, `issuer:\n  url: ${issuer.url}\n  audience: ${AUDIENCE}\n`)
      .replace('consents.jsonl', sandbox.consentsFile);
    const file = join(home, 'mortar.config.yaml');
    writeFileSync(file, options.configure?.(text) ?? text);
    const product = await startProduct({
      ...options,
      home,
      arguments: [`--config=${file}`],
      environment: sandbox.environment,
      control: sandbox.urls.control,
    });
    return {
      product,
      issuer,
      control: sandbox.urls.control,
      async [Symbol.asyncDispose]() {
        await product[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
