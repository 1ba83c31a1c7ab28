import { expect, it } from 'vitest';

import { ACCEPTED_FINDINGS, auditHttp } from '#test/support/http-audit.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

it('speaks GraphQL over HTTP: no audit fails, and the six known notices and warnings are all there is', async () => {
  const { urls, token } = product();
  const { audits, findings } = await auditHttp(urls.graph, await token('storefront'));
  expect(audits).toBeGreaterThanOrEqual(61);
  expect(findings.filter(({ status }) => status === 'error')).toEqual([]);
  expect(findings.map(({ id }) => id).toSorted()).toEqual(Object.keys(ACCEPTED_FINDINGS).toSorted());
});
