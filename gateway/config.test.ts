import { describe, expect, it } from 'vitest';

import { parseConfigText } from './config-file.ts';
import { readEnvironment } from './config.ts';
import type { Config } from './config-schema.ts';
import { nearestName } from './nearest-name.ts';
import { assertProductionReady } from './production-rules.ts';

const valid = `issuer:
  url: http://127.0.0.1:4309
  audience: mortar
systems:
  - id: erp
    connector: erp-business-central
    url: http://127.0.0.1:4310
    credentials:
      token: \${ERP_TOKEN}
retail:
  channels: []
  authorities: []
`;

function parse(text: string, more: { variables?: Record<string, string>; production?: boolean } = {}) {
  return parseConfigText({
    file: 'mortar.config.yaml',
    text,
    variables: more.variables ?? { ERP_TOKEN: 's3cret' },
    production: more.production ?? false,
  });
}

describe('parseConfigText', () => {
  it('fills in defaults and resolves credentials from the environment', () => {
    const config = parse(valid);
    expect(config.limits).toMatchObject({ depth: 15, aliases: 30, rootFields: 20, bodyBytes: 1_048_576 });
    expect(config.systems[0]?.credentials).toEqual({ token: 's3cret' });
    expect(config.issuer.claims.customerId).toBe('customer_id');
  });

  it('names file, line, column and the nearest known key of an unknown key', () => {
    const text = valid.replace('    connector:', '    conector: x\n    connector:');
    expect(() => parse(text)).toThrow(
      'mortar.config.yaml:6:5 unknown key "systems.0.conector"; did you mean "connector"?',
    );
  });

  it('refuses an unknown key at the top level and deep inside defaults', () => {
    expect(() => parse(`${valid}limts: {}\n`)).toThrow(
      'mortar.config.yaml:13:1 unknown key "limts"; did you mean "limits"?',
    );
    expect(() => parse(`${valid}limits:\n  dept: 3\n`)).toThrow(
      ':14:3 unknown key "limits.dept"; did you mean "depth"?',
    );
  });

  it('names the key and the variable of a credential that cannot be resolved', () => {
    expect(() => parse(valid, { variables: {} })).toThrow(
      'mortar.config.yaml:9:7 credentials.token needs the environment variable ERP_TOKEN, which is not set',
    );
  });

  it('resolves references in credentials only', () => {
    const text = valid.replace('audience: mortar', 'audience: ${ERP_TOKEN}');
    expect(parse(text).issuer.audience).toBe('${ERP_TOKEN}');
  });

  it('refuses written-out credentials in production', () => {
    expect(() => parse(valid.replace('${ERP_TOKEN}', 'plain'), { production: true })).toThrow('is written out');
  });

  it('says where YAML syntax is broken and which value is wrong', () => {
    expect(() => parse('issuer: [')).toThrow(/mortar\.config\.yaml:1:\d+/);
    expect(() => parse(`${valid}limits:\n  depth: many\n`)).toThrow(/:14:3 limits\.depth: .*number/);
    expect(() => parse('')).toThrow('mortar.config.yaml:1:1');
  });
});

describe('nearestName', () => {
  it('answers null when nothing is near', () => {
    expect(nearestName('zebra', ['issuer', 'systems'])).toBeNull();
    expect(nearestName('isuer', ['issuer', 'systems'])).toBe('issuer');
  });
});

describe('assertProductionReady', () => {
  const base = { sandbox: false, databaseUrl: null, redisUrl: null, systems: [] };
  // The rules read only these fields.
  const check = (more: object) => () => assertProductionReady({ ...base, ...more } as unknown as Config);

  it.each([
    [{ sandbox: true }, 'sandbox never runs in production'],
    [{ databaseUrl: 'postgres://db.example/mortar' }, 'DATABASE_URL goes over the network in plain text'],
    [{ redisUrl: 'redis://cache.example' }, 'REDIS_URL goes over the network in plain text'],
    [
      { systems: [{ id: 'erp', credentials: { token: 'sandbox-erp' } }] },
      'systems.erp.credentials.token holds a default secret',
    ],
  ])('refuses %o', (more, message) => {
    expect(check(more)).toThrow(message);
  });

  it('accepts encrypted and local services', () => {
    expect(
      check({ databaseUrl: 'postgres://db.example/m?sslmode=verify-full', redisUrl: 'rediss://cache.example' }),
    ).not.toThrow();
    expect(check({ databaseUrl: 'postgres://127.0.0.1/m', redisUrl: 'redis://localhost' })).not.toThrow();
  });
});

describe('readEnvironment', () => {
  it('takes addresses of PostgreSQL and Redis, and nothing for an empty variable', () => {
    expect(readEnvironment({ DATABASE_URL: 'postgresql://me@db/shop', REDIS_URL: '' })).toMatchObject({
      databaseUrl: 'postgresql://me@db/shop',
      redisUrl: null,
      production: false,
    });
  });

  it.each([
    [{ DATABASE_URL: 'secret-host' }, 'DATABASE_URL is not an address like postgres://host'],
    [{ DATABASE_URL: 'mysql://secret@db' }, 'DATABASE_URL is not an address like postgres://host'],
    [{ REDIS_URL: 'localhost:6379' }, 'REDIS_URL is not an address like redis://host'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud"; it is one of debug, info, warn, error, silent'],
  ])('refuses %j', (variables, message) => {
    expect(() => readEnvironment(variables)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message }),
    );
  });
});
