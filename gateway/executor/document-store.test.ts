import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { createDocumentStore, documentBytes } from './document-store.ts';

describe('the store of documents', () => {
  it('counts the text a document holds on to, comments included', () => {
    const bare = documentBytes(parse('{ a }'));
    expect(documentBytes(parse(`# ${'x'.repeat(50_000)}\n{ a }`))).toBeGreaterThan(bare + 50_000);
    expect(documentBytes(parse(`# ${'ж'.repeat(50_000)}\n{ a }`))).toBeGreaterThan(bare + 100_000);
    expect(documentBytes(parse('{ a a a a a a a a a a }'))).toBeGreaterThan(bare + 2_000);
  });

  it('counts the tokens of a document without locations', () => {
    const bytesOf = (text: string) => documentBytes(parse(text, { noLocation: true }));
    expect(bytesOf('{ a a a a a a a a a a }')).toBeGreaterThan(bytesOf('{ a }') + 2_000);
  });

  it('forgets the least recently used before it outgrows its bound', async () => {
    const document = (name: string) => parse(`# ${'x'.repeat(10_000)}\nquery ${name} { a }`);
    const store = createDocumentStore(3 * documentBytes(document('A')));
    for (const name of ['A', 'B', 'C']) await store.set(name, document(name));
    await store.get('A');
    await store.set('D', document('D'));
    expect(await Promise.all(['A', 'B', 'C', 'D'].map(async (name) => (await store.get(name)) !== undefined))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});
