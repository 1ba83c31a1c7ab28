import { z } from 'zod';

import type { World, WorldProduct } from '#sandbox/world/types.ts';

/** Rows of a page. */
const PAGE = 100;
const TOKEN = 'sandbox-template-token';
const question = z.object({ codes: z.array(z.string()).min(1).max(50) });

/** A fake of the system over the sandbox's world. It shares no code with the connector, or it could not catch its errors. */
export function createTemplateVendor() {
  return {
    connector: 'erp-template',
    credentials: { token: TOKEN },
    options: {},
    operationOf: (request: Request): string => `${request.method} ${new URL(request.url).pathname}`,
    handler: async (request: Request, { products }: World): Promise<Response> => {
      if (request.headers.get('authorization') !== `Bearer ${TOKEN}`) return Response.json({}, { status: 401 });
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === '/v1/items/find' && request.method === 'POST') return find(await request.json(), products);
      if (pathname === '/v1/items' && request.method === 'GET') return list(searchParams, products);
      return Response.json({ error: 'not found' }, { status: 404 });
    },
  };
}

function find(body: unknown, products: readonly WorldProduct[]): Response {
  const asked = question.safeParse(body);
  if (!asked.success) return Response.json({ error: 'codes: 1 to 50 texts' }, { status: 400 });
  return Response.json({ rows: products.filter(({ sku }) => asked.data.codes.includes(sku)).map(toRow) });
}

function list(query: URLSearchParams, products: readonly WorldProduct[]): Response {
  const since = query.get('changedSince') ?? '';
  const from = Number(query.get('page') ?? 0);
  const changed = products.filter(({ updatedAt }) => updatedAt >= since);
  const next = from + PAGE < changed.length ? String(from + PAGE) : null;
  return Response.json({ rows: changed.slice(from, from + PAGE).map(toRow), next });
}

function toRow(product: WorldProduct): object {
  return {
    id: product.erpId,
    code: product.sku,
    name: product.title,
    brand: product.brand,
    gtin: product.gtin,
    price: (product.priceMinor / 100).toFixed(2),
    currency: product.currency,
    updatedAt: product.updatedAt,
  };
}
