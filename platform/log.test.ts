import { describe, expect, it } from 'vitest';

import { MortarError } from './errors.ts';
import { createLogger } from './log.ts';

describe('createLogger', () => {
  it('redacts the authorization header and personal keys, at any depth it knows', () => {
    const lines: string[] = [];
    const logger = createLogger({ write: (line) => void lines.push(line) });
    logger.info(
      { authorization: 'Bearer x', customer: { email: 'canary@example.com', address: { phone: '0700' } } },
      'hello',
    );
    expect(lines.join('')).not.toMatch(/Bearer|canary|0700/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'hello', authorization: '[redacted]' });
  });

  it('tells the type, code and message of an error and hides none of them as a name', () => {
    const lines: string[] = [];
    createLogger({ write: (line) => void lines.push(line) }).error({ err: new MortarError('OVERLOADED') }, 'failed');
    const { err } = JSON.parse(lines[0] ?? '');
    expect(err).toMatchObject({ type: 'MortarError', code: 'OVERLOADED', message: 'The service is busy.' });
    expect(lines.join('')).not.toContain('[redacted]');
  });

  it('writes nothing below its level', () => {
    const lines: string[] = [];
    createLogger({ level: 'warn', write: (line) => void lines.push(line) }).info({}, 'quiet');
    expect(lines).toEqual([]);
  });
});
