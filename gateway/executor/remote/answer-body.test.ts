import { describe, expect, it } from 'vitest';

import { AnswerBody } from './answer-body.ts';
import { garbageCollector } from '#test/support/heap.ts';

/** A chunk as it comes: a part of what the socket read. */
function chunkOf(read: Buffer, from: number, to: number): Buffer {
  return read.subarray(from, to);
}

describe('AnswerBody', () => {
  it('has the bytes in the order they came, and leaves what the socket read as it is', () => {
    const read = Buffer.from('one two three four');
    const body = new AnswerBody();
    expect(body.bytes().toString()).toBe('');
    for (const [from, to] of [
      [0, 3],
      [3, 3],
      [7, 13],
      [13, 18],
    ] as const)
      body.add(chunkOf(read, from, to));
    expect(body.bytes().toString()).toBe('one three four');
    expect(body.byteLength).toBe(14);
    expect(read.toString()).toBe('one two three four');
  });

  it('keeps as much memory as it has bytes, in however small chunks they came', async () => {
    const collect = garbageCollector();
    const before = await collect();
    const held = process.memoryUsage().arrayBuffers;
    const body = new AnswerBody();
    for (let count = 0; count < 200; count += 1) {
      const read = Buffer.alloc(65_536, ' ');
      for (let at = 0; at < 1_000; at += 1) body.add(chunkOf(read, at, at + 1));
    }
    // Of 200,000 views, and of the 13 MB they show a part of.
    expect((await collect()) - before).toBeLessThan(2 * 2 ** 20);
    expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(2 * 2 ** 20);
    expect(body.bytes().toString()).toBe(' '.repeat(200_000));
  });
});
