import { hkdfSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { MortarError } from './errors.ts';

/**
 * Every key of the product. Each is taken from its own variable when set, else derived from the root key (HKDF-SHA-256,
 * the name as info), so that one secret is enough to start and each key can still be rotated alone.
 */
const KEY_DEFINITIONS = {
  idHash: {
    variable: 'MORTAR_KEY_ID_HASH',
    use: 'keyed hashes of e-mail addresses, phone and loyalty numbers',
    rotation: 'never without rebuilding the directories: hashes are compared with stored ones',
  },
  cursor: {
    variable: 'MORTAR_KEY_CURSOR',
    use: 'authenticates list cursors',
    rotation: 'any time: clients start a list again',
  },
  changes: {
    variable: 'MORTAR_KEY_CHANGES',
    use: 'keyed hashes of what changed, as processes tell each other over Redis',
    rotation: 'in all processes at once: with different keys they do not hear each other',
  },
  keyEncryption: {
    variable: 'MORTAR_KEY_ENCRYPTION',
    use: 'wraps the key of every subject',
    rotation: 'by epoch: rewrap all subject keys, then drop the old epoch',
  },
} as const satisfies Record<string, { readonly variable: string; readonly use: string; readonly rotation: string }>;

/**
 * Key pairs. They are derived from nothing: who can verify must not be able to sign. Read by platform/context-keys.ts,
 * each from its variable (PEM) or from the file that `<variable>_FILE` names.
 */
export const ASYMMETRIC_KEYS = {
  contextSigning: {
    variable: 'MORTAR_KEY_CONTEXT',
    use: 'the gateway signs the request context it hands to subgraphs of other processes (Ed25519, private)',
    rotation:
      'give all subgraphs the new public key, then the gateway the new private one, then drop the old public one',
  },
  contextVerification: {
    variable: 'MORTAR_KEY_CONTEXT_PUBLIC',
    use: 'subgraphs verify that context (Ed25519, public; up to ten at once)',
    rotation: 'see MORTAR_KEY_CONTEXT; keep the old one half a minute longer than the gateway signs with it',
  },
} as const satisfies Record<string, { readonly variable: string; readonly use: string; readonly rotation: string }>;

export type KeyName = keyof typeof KEY_DEFINITIONS;

/** 32 bytes each. */
export type Keys = Readonly<Record<KeyName, Uint8Array>>;

export interface LoadKeysOptions {
  /** Variables that are set: `MORTAR_ROOT_KEY` and those of {@link KEY_DEFINITIONS}; base64, at least 32 bytes. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Where a generated root key is kept (mode 0600) when none is given; null: refuse to generate (production). */
  readonly rootKeyFile: string | null;
}

/** @throws {MortarError} CONFIGURATION_INVALID when a key is too short, unreadable or missing. */
export function loadKeys(options: LoadKeysOptions): Keys {
  let root: Uint8Array | undefined;
  const rootKey = (): Uint8Array => (root ??= readRootKey(options));
  const keyOf = (name: KeyName): Uint8Array => {
    const { variable } = KEY_DEFINITIONS[name];
    const given = options.variables[variable];
    if (given !== undefined) return parseKey(variable, given).subarray(0, 32);
    return new Uint8Array(hkdfSync('sha256', rootKey(), 'mortar', name, 32));
  };
  return {
    idHash: keyOf('idHash'),
    cursor: keyOf('cursor'),
    changes: keyOf('changes'),
    keyEncryption: keyOf('keyEncryption'),
  };
}

function parseKey(variable: string, text: string): Uint8Array {
  const bytes = Buffer.from(text.trim(), 'base64');
  if (bytes.length >= 32) return bytes;
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `${variable} holds ${bytes.length} bytes of base64; it needs at least 32. Make one with: openssl rand -base64 32`,
  });
}

function readRootKey({ variables, rootKeyFile }: LoadKeysOptions): Uint8Array {
  const given = variables['MORTAR_ROOT_KEY'];
  if (given !== undefined) return parseKey('MORTAR_ROOT_KEY', given);
  if (rootKeyFile === null) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message:
        'MORTAR_ROOT_KEY is not set. In production keys are never generated: set it to the output of: openssl rand -base64 32',
    });
  }
  mkdirSync(dirname(rootKeyFile), { recursive: true });
  try {
    // "wx": of two processes that start at once only one writes; the other reads what was written.
    writeFileSync(rootKeyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return parseKey(rootKeyFile, readFileSync(rootKeyFile, 'utf8'));
}
