import type { z } from 'zod';

import type { CallScope } from '#schema/model/request.ts';
import type { OperationClass } from '#schema/model/sources.ts';

import { pauseFor } from './deadline.ts';
import type { FollowUp } from './definition.ts';
import { upstreamError } from './failure.ts';
import { readBody } from './response.ts';
import type { Runtime } from './runtime.ts';
import type { WireRequest, WireResponse } from './wire.ts';

/** More follow-ups than this inside one read are a vendor's endless loop. */
const PAGE_LIMIT = 50;

interface PagedRead<B> {
  /** Of each page. */
  readonly timeoutMs: number | undefined;
  readonly first: WireRequest;
  readonly page: z.ZodType<B>;
  readonly more: ((body: B, previous: WireRequest) => FollowUp | null) | undefined;
  /** Error answers that mean "nothing there". */
  readonly missing?: ((response: WireResponse) => boolean) | undefined;
}

/** All pages of one read, in order. @throws {MortarError} UPSTREAM_* when any of them fails: half an answer is none */
export async function readPages<B, S>(
  runtime: Runtime<S>,
  read: PagedRead<B>,
  scope: CallScope,
): Promise<readonly B[]> {
  const bodies: B[] = [];
  let request = read.first;
  for (;;) {
    const accept = read.missing === undefined ? {} : { accept: read.missing };
    const limits = { operationClass: 'read' as const, timeoutMs: runtime.timeoutOf('read', read.timeoutMs), ...accept };
    const response = await runtime.call(request, scope, limits);
    if (read.missing?.(response) === true) return bodies;
    const expected = { page: read.page, operation: request.operation, operationClass: 'read' } as const;
    const body = readAnswer(runtime, expected, response);
    bodies.push(body);
    const next = read.more?.(body, request) ?? null;
    if (next === null) return bodies;
    if (bodies.length >= PAGE_LIMIT) {
      throw upstreamError('UPSTREAM_CONTRACT', { message: `${request.operation} has no last page.` });
    }
    await pauseFor(Math.min(next.afterMs ?? 0, Math.max(0, scope.deadlineAtMs - runtime.nowMs())), scope.signal);
    request = next.request;
  }
}

interface Expected<B> {
  readonly page: z.ZodType<B>;
  readonly operation: string;
  readonly operationClass: OperationClass;
}

/** The body in its declared shape. @throws {MortarError} UPSTREAM_CONTRACT, which also counts against the system's health */
export function readAnswer<B, S>(runtime: Runtime<S>, expected: Expected<B>, response: WireResponse): B {
  try {
    return readBody(expected.page, response, expected.operation);
  } catch (error) {
    runtime.unreadable(expected.operationClass);
    runtime.drifted(expected.operation, 'shape');
    throw error;
  }
}
