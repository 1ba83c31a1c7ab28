import type { Evidence } from '#test/support/evidence.ts';
import { ACCEPTED_FINDINGS, auditHttp } from '#test/support/http-audit.ts';
import { startProduct } from '#test/support/product.ts';
import { sabotageArguments } from './sabotage.ts';

export const httpAudit: Evidence = {
  name: 'http-audit',
  summary: 'the audits of graphql-http find no error, and nothing but the notices and warnings known with their reason',
  sabotages: ['http-status'],
  run: async (report) => {
    await using product = await startProduct({
      seed: report.seed,
      nodeArguments: sabotageArguments(report.sabotage),
    });
    const { audits, findings } = await auditHttp(product.urls.graph, await product.token('storefront'));
    for (const { id, status, name, reason } of findings)
      report.progress(`${status} ${id} ${name}: ${reason} (${ACCEPTED_FINDINGS[id] ?? 'not accepted'})`);
    const errors = findings.filter(({ status }) => status === 'error').length;
    const unknown = findings.filter(({ id, status }) => status !== 'error' && ACCEPTED_FINDINGS[id] === undefined);
    const shared = { name: 'http-audit', unit: 'audits', n: audits, median: null, spread: null };
    report.row({ ...shared, metric: 'errors', value: errors, target: 0, ok: errors === 0 && audits > 0 });
    report.row({
      ...shared,
      metric: 'notices and warnings',
      value: findings.length - errors,
      target: Object.keys(ACCEPTED_FINDINGS).length,
      ok: unknown.length === 0,
    });
  },
};
