import { describe, expect, it } from 'vitest';

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

  it('writes nothing below its level', () => {
    const lines: string[] = [];
    createLogger({ level: 'warn', write: (line) => void lines.push(line) }).info({}, 'quiet');
    expect(lines).toEqual([]);
  });
});
