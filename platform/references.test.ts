import { describe, expect, it } from 'vitest';

import { batchLoader, referenceResolver } from './references.ts';

describe('batch loading', () => {
  it('reads the keys of one tick together, each once, and answers in the order asked', async () => {
    const reads: string[][] = [];
    const loader = batchLoader<string, string>(async (keys) => {
      reads.push([...keys]);
      return keys.map((key) => key.toUpperCase());
    });
    expect(await Promise.all(['b', 'a', 'b'].map((key) => loader.load(key)))).toEqual(['B', 'A', 'B']);
    expect(reads).toEqual([['b', 'a']]);
  });

  it('fails only the key that failed, and knows a missing one from it', async () => {
    const loader = batchLoader<string, string>(async (keys) =>
      keys.map((key) => (key === 'bad' ? new Error('broken') : key === 'none' ? null : key)),
    );
    const settled = await Promise.allSettled([loader.load('a'), loader.load('bad'), loader.load('none')]);
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual(['a', 'failed', null]);
  });

  it('fails every key when the answers are too few: a shifted answer would be another row', async () => {
    const loader = batchLoader<string, string>(async (keys) => keys.slice(1));
    const settled = await Promise.allSettled([loader.load('a'), loader.load('b')]);
    expect(settled.map((one) => one.status)).toEqual(['rejected', 'rejected']);
  });

  it('splits long lists and compares keys by their text', async () => {
    const sizes: number[] = [];
    const loader = batchLoader<{ readonly id: number }, number>(
      async (keys) => {
        sizes.push(keys.length);
        return keys.map((key) => key.id);
      },
      { maxKeys: 2, cacheKey: (key) => String(key.id) },
    );
    await Promise.all([1, 2, 3, 1].map((id) => loader.load({ id })));
    expect(sizes).toEqual([2, 1]);
  });
});

describe('a reference resolver', () => {
  const resolve = referenceResolver('id', (context: { readonly asked: string[] }) => ({
    load: async (key: string) => {
      context.asked.push(key);
      return { id: key };
    },
  }));

  it.each([[{}], [{ id: 5 }], [{ id: '' }], [{ id: 'x'.repeat(201) }], [{ id: { nested: true } }]])(
    'answers null for the key of %j without asking',
    async (reference) => {
      const context = { asked: [] };
      expect(await resolve(reference, context)).toBeNull();
      expect(context.asked).toEqual([]);
    },
  );

  it('takes nothing but the key from the representation', async () => {
    expect(await resolve({ __typename: 'Person', id: 'p1', email: 'forged' }, { asked: [] })).toEqual({ id: 'p1' });
  });
});
