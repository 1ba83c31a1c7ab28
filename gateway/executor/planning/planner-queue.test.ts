import { describe, expect, it } from 'vitest';

import { createPlannerQueue } from './planner-queue.ts';

const takeAll = (queue: { readonly next: () => string | undefined }): readonly string[] => {
  const taken: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) taken.push(item);
  return taken;
};

describe('createPlannerQueue', () => {
  it('takes one of each caller in turn, whoever came with how much', () => {
    const queue = createPlannerQueue<string>({ inAll: 10, perCaller: 5 });
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) expect(queue.add(item.slice(0, 1), item)).toBe(true);
    expect(queue.next()).toBe('a1');
    queue.add('d', 'd1');
    expect(takeAll(queue)).toEqual(['b1', 'c1', 'a2', 'd1', 'b2', 'a3']);
  });

  it('takes who comes before who was just served', () => {
    const queue = createPlannerQueue<string>({ inAll: 10, perCaller: 5 });
    for (const item of ['a1', 'a2', 'a3']) queue.add('a', item);
    expect(queue.next()).toBe('a1');
    queue.add('b', 'b1');
    expect(takeAll(queue)).toEqual(['b1', 'a2', 'a3']);
  });

  it('takes no more than it may, of one caller and in all', () => {
    const queue = createPlannerQueue<string>({ inAll: 3, perCaller: 2 });
    const added = ['a1', 'a2', 'a3', 'b1', 'c1'].map((item) => queue.add(item.slice(0, 1), item));
    expect([added, queue.size()]).toEqual([[true, true, false, true, false], 3]);
    queue.next();
    expect(queue.add('a', 'a4')).toBe(true);
  });

  it('lets go of what is not kept, and of nothing else', () => {
    const queue = createPlannerQueue<string>({ inAll: 10, perCaller: 5 });
    for (const item of ['a1', 'a2', 'b1', 'c1']) queue.add(item.slice(0, 1), item);
    expect(queue.drop((item) => item === 'a2' || item === 'c1')).toEqual(['a1', 'b1']);
    expect([queue.size(), takeAll(queue)]).toEqual([2, ['a2', 'c1']]);
  });
});
