import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';

import { loadSigningKeys, loadVerificationKeys } from './context-keys.ts';
import { createContextPair } from '#test/support/context-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'mortar-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

const logger = { info: () => undefined, error: () => undefined };
const clock = { nowMs: () => 0 };
const signing = (variables: Record<string, string>) => loadSigningKeys({ variables, clock, logger });
const verification = (variables: Record<string, string>) => loadVerificationKeys({ variables, clock, logger });
const pair = createContextPair();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaPem = String(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }));
const rsaPublicPem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }));
/** The neutral point as a public key: everything verifies under it. */
const weakPem = String(
  createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(`01${'00'.repeat(31)}`, 'hex').toString('base64url') },
    format: 'jwk',
  }).export({ type: 'spki', format: 'pem' }),
);

describe('keys of request contexts', () => {
  it('are named by the thumbprint of the public half', async () => {
    const id = await calculateJwkThumbprint(await exportJWK(createPublicKey(pair.publicPem)));
    expect(signing({ MORTAR_KEY_CONTEXT: pair.privatePem })?.current().id).toBe(id);
    const keys = verification({ MORTAR_KEY_CONTEXT_PUBLIC: `${createContextPair().publicPem}\n${pair.publicPem}` });
    expect(keys?.find(id)?.asymmetricKeyType).toBe('ed25519');
    expect(keys?.find('another')).toBeNull();
  });

  it('may be given in one line, and may be absent', () => {
    const line = pair.privatePem.replaceAll('\n', String.raw`\n`);
    expect(signing({ MORTAR_KEY_CONTEXT: line })?.current().id).toHaveLength(43);
    expect(signing({ MORTAR_KEY_CONTEXT: '' })).toBeNull();
    expect(verification({})).toBeNull();
  });

  it.each([
    ['nothing in PEM', 'secret', /holds 0 keys in PEM.*openssl genpkey/],
    ['two keys', `${pair.privatePem}${createContextPair().privatePem}`, /holds 2 keys/],
    ['a public key', pair.publicPem, /holds a PUBLIC KEY, not a PRIVATE KEY/],
    ['an RSA key', rsaPem, /holds a key of type rsa; it needs Ed25519/],
    ['broken PEM', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', /cannot be read/],
  ])('are refused for signing: %s', (_what, text, message) => {
    expect(() => signing({ MORTAR_KEY_CONTEXT: text })).toThrow(message);
  });

  it.each([
    ['a private key', pair.privatePem, /holds a private key; only the gateway may have it/],
    ['an RSA key', rsaPublicPem, /needs Ed25519/],
    ['a weak key', weakPem, /holds a weak key/],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /holds a CERTIFICATE/],
    ['eleven keys', Array.from({ length: 11 }, () => pair.publicPem).join(''), /holds 11 keys.*1 to 10/],
  ])('are refused for verifying: %s', (_what, text, message) => {
    expect(() => verification({ MORTAR_KEY_CONTEXT_PUBLIC: text })).toThrow(message);
  });

  it('never show themselves in a refusal', () => {
    const broken = pair.privatePem.replace('MC4C', 'AC4C');
    const refuse = (): string => {
      try {
        return signing({ MORTAR_KEY_CONTEXT: broken })?.current().id ?? '';
      } catch (error) {
        return JSON.stringify(error, Object.getOwnPropertyNames(error));
      }
    };
    expect(refuse()).toContain('cannot be read');
    expect(refuse()).not.toContain(broken.split('\n')[1]);
  });

  it('are read again when their file changes, and stay when the new file is broken', () => {
    const file = join(folder, 'public.pem');
    writeFileSync(file, pair.publicPem);
    let nowMs = 0;
    const told: string[] = [];
    const keys = loadVerificationKeys({
      variables: { MORTAR_KEY_CONTEXT_PUBLIC_FILE: file },
      clock: { nowMs: () => nowMs },
      logger: { info: (_fields, text) => void told.push(text), error: (_fields, text) => void told.push(text) },
    });
    const idOf = ({ privatePem }: typeof pair) => signing({ MORTAR_KEY_CONTEXT: privatePem })?.current().id ?? '';
    const next = createContextPair();
    writeFileSync(file, `${pair.publicPem}${next.publicPem}`);
    expect(keys?.find(idOf(next))).toBeNull();
    nowMs = 1_000;
    expect(keys?.find(idOf(next))).not.toBeNull();
    writeFileSync(file, 'nothing');
    nowMs = 2_000;
    expect(keys?.find(idOf(pair))).not.toBeNull();
    rmSync(file);
    nowMs = 3_000;
    expect(keys?.find(idOf(next))).not.toBeNull();
    expect(told.map((text) => text.includes('refused'))).toEqual([false, true, true]);
  });

  it('are refused when both a variable and a file are given, or the file cannot be read', () => {
    const file = join(folder, 'missing.pem');
    expect(() => signing({ MORTAR_KEY_CONTEXT_FILE: file })).toThrow(/MORTAR_KEY_CONTEXT_FILE names a file/);
    expect(() => signing({ MORTAR_KEY_CONTEXT_FILE: file, MORTAR_KEY_CONTEXT: pair.privatePem })).toThrow(/set one/);
  });
});
