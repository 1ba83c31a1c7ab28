import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

import type { Clock } from './clock.ts';
import { MortarError } from './errors.ts';
import { ASYMMETRIC_KEYS } from './keys.ts';
import type { Logger } from './log.ts';

/** An Ed25519 key and its name: the JWK thumbprint (RFC 7638) of its public half, so nobody has to invent names. */
export interface NamedKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** What a gateway signs request contexts with. */
export interface SigningKeys {
  /** The key of now: a file that changed is read again, at most once a second. */
  readonly current: () => NamedKey;
}

/** What a subgraph verifies request contexts with; several at once, so that a rotation loses no request. */
export interface VerificationKeys {
  /** Null: no such key, also not in the file of now. */
  readonly find: (id: string) => KeyObject | null;
}

export interface ContextKeyOptions {
  /** Variables that are set; those of {@link ASYMMETRIC_KEYS} are read. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'error'>;
}

/** Null: neither variable is set. @throws {MortarError} CONFIGURATION_INVALID saying what is wrong and how to make a key */
export function loadSigningKeys(options: ContextKeyOptions): SigningKeys | null {
  const { variable } = ASYMMETRIC_KEYS.contextSigning;
  const source = openSource(variable, parseSigningKey, options);
  return source === null ? null : { current: source };
}

/** Null: neither variable is set. @throws {MortarError} CONFIGURATION_INVALID saying what is wrong and how to make a key */
export function loadVerificationKeys(options: ContextKeyOptions): VerificationKeys | null {
  const { variable } = ASYMMETRIC_KEYS.contextVerification;
  const source = openSource(variable, parseVerificationKeys, options);
  return source === null ? null : { find: (id) => source().get(id) ?? null };
}

/** A file is looked at no more often. */
const RELOAD_AFTER_MS = 1_000;

type Parse<T> = (name: string, text: string) => T;

/** The value of a variable, or of the file that `<variable>_FILE` names; a broken new file leaves the old value. */
function openSource<T>(variable: string, parse: Parse<T>, options: ContextKeyOptions): (() => T) | null {
  const text = options.variables[variable] || undefined;
  const file = options.variables[`${variable}_FILE`] || undefined;
  if (text !== undefined && file !== undefined) throw invalid(variable, `is set, and ${variable}_FILE too; set one`);
  if (text !== undefined) {
    // Some tools cannot set variables of several lines.
    const value = parse(variable, text.replaceAll(String.raw`\n`, '\n'));
    return () => value;
  }
  return file === undefined ? null : followFile({ variable: `${variable}_FILE`, file, parse }, options);
}

interface KeyFile<T> {
  readonly variable: string;
  readonly file: string;
  readonly parse: Parse<T>;
}

function followFile<T>({ variable, file, parse }: KeyFile<T>, { clock, logger }: ContextKeyOptions): () => T {
  let stamp = stampOf(file);
  let value = parse(variable, readKeyFile(variable, file));
  let lookAtMs = clock.nowMs() + RELOAD_AFTER_MS;
  return () => {
    if (clock.nowMs() < lookAtMs) return value;
    lookAtMs = clock.nowMs() + RELOAD_AFTER_MS;
    const now = stampOf(file);
    if (now === stamp) return value;
    stamp = now;
    try {
      value = parse(variable, readKeyFile(variable, file));
      logger.info({ variable }, 'context keys were read again');
    } catch (error) {
      logger.error(
        { variable, err: error },
        'the changed file of context keys is refused; the keys before it serve on',
      );
    }
    return value;
  };
}

/** Changes when the file does; a file that cannot be seen has none. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}

function readKeyFile(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalid(variable, 'names a file that cannot be read', cause);
  }
}

const MAKE_PRIVATE = 'Make one with: openssl genpkey -algorithm ed25519';
const MAKE_PUBLIC = 'Make it from the private one with: openssl pkey -in private.pem -pubout';
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const MAX_PUBLIC_KEYS = 10;

function parseSigningKey(variable: string, text: string): NamedKey {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  const [block] = blocks;
  if (block === undefined || blocks.length > 1)
    throw invalid(variable, `holds ${blocks.length} keys in PEM; it needs one private key. ${MAKE_PRIVATE}`);
  if (block[1] !== 'PRIVATE KEY') throw invalid(variable, `holds a ${block[1]}, not a PRIVATE KEY. ${MAKE_PRIVATE}`);
  const key = readKey(variable, () => createPrivateKey(block[0]), MAKE_PRIVATE);
  return { id: thumbprint(variable, createPublicKey(key)), key };
}

function parseVerificationKeys(variable: string, text: string): ReadonlyMap<string, KeyObject> {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  if (blocks.length === 0 || blocks.length > MAX_PUBLIC_KEYS)
    throw invalid(
      variable,
      `holds ${blocks.length} keys in PEM; it needs 1 to ${MAX_PUBLIC_KEYS} public keys. ${MAKE_PUBLIC}`,
    );
  return new Map(
    blocks.map(([pem, label]) => {
      if (label?.includes('PRIVATE') === true)
        throw invalid(variable, `holds a private key; only the gateway may have it. ${MAKE_PUBLIC}`);
      if (label !== 'PUBLIC KEY') throw invalid(variable, `holds a ${label}, not a PUBLIC KEY. ${MAKE_PUBLIC}`);
      const key = readKey(variable, () => createPublicKey(pem), MAKE_PUBLIC);
      return [thumbprint(variable, key), key];
    }),
  );
}

function readKey(variable: string, read: () => KeyObject, advice: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    // The cause would repeat parts of the key.
    throw invalid(variable, `holds a key that cannot be read. ${advice}`);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw invalid(variable, `holds a key of type ${key.asymmetricKeyType}; it needs Ed25519. ${advice}`);
}

/** Points of small order (RFC 8032 leaves them to us), sign bit aside: one signature under such a key fits any message. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

function thumbprint(variable: string, publicKey: KeyObject): string {
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const point = Buffer.from(x, 'base64url');
  point[31] = (point[31] ?? 0) & 0x7f;
  if (SMALL_ORDER.has(point.toString('hex'))) throw invalid(variable, `holds a weak key. ${MAKE_PRIVATE}`);
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');
}

function invalid(variable: string, message: string, cause?: unknown): MortarError {
  return new MortarError('CONFIGURATION_INVALID', { message: `${variable} ${message}`, cause });
}
