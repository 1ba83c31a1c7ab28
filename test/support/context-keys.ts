import { generateKeyPairSync } from 'node:crypto';

/** A fresh Ed25519 pair in PEM, as the variables of gateway and subgraphs hold it. */
export function createContextPair(): { readonly privatePem: string; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicPem: String(publicKey.export({ type: 'spki', format: 'pem' })),
  };
}
