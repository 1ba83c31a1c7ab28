import type { Evidence } from '#test/support/evidence.ts';
import { startProduct } from '#test/support/product.ts';
import { runReadmeTour, type TourAnswer } from '#test/support/readme-tour.ts';
import { sabotageArguments } from './sabotage.ts';

export const tour: Evidence = {
  name: 'tour',
  summary: 'the commands and queries of the README run, and answer what it says',
  sabotages: ['withdrawal'],
  run: async (report) => {
    await using product = await startProduct({ seed: report.seed, nodeArguments: sabotageArguments(report.sabotage) });
    const { code, stderr, steps } = await runReadmeTour(product);
    const answers = steps.flatMap((step) => step.answers);
    const failed = answers.filter(({ data, errors }) => errors !== undefined || data === undefined || data === null);
    if (code !== 0 || stderr !== '') report.progress(`exit code ${code}: ${stderr.trim()}`);
    const row = (metric: string, { value, unit, n }: { value: number; unit: string; n: number }, target: number) =>
      report.row({ name: 'tour', metric, value, unit, n, median: null, spread: null, target, ok: value === target });
    row('blocks run', { value: code === 0 ? steps.length : 0, unit: 'blocks', n: steps.length }, steps.length);
    row('answers with an error', { value: failed.length, unit: 'answers', n: answers.length }, 0);
    row('promises of the text that hold', { value: promises(answers), unit: 'promises', n: 4 }, 4);
  },
};

/** What the README says beside its commands: stock has sources, refusals a reason, a withdrawal counts at once, a partner sees nobody. */
function promises(answers: readonly TourAnswer[]): number {
  const data = answers.map((answer) => answer.data ?? {});
  const withdrawnAt = data.findIndex(({ withdrawConsent }) => withdrawConsent?.state?.state === 'WITHDRAWN');
  const kept = [
    data.some(({ products }) =>
      products?.nodes?.every((node: Sold) => (node.availability?.quantity?.provenance?.inputs?.length ?? 0) > 0),
    ),
    answers.some(({ extensions }) => extensions?.consent?.some(({ reason }) => reason === 'CONSENT_REQUIRED') === true),
    withdrawnAt !== -1 && data[withdrawnAt + 1]?.customer?.email === null,
    data.some(({ customers, products }) => products !== undefined && customers?.nodes?.length === 0),
  ];
  return kept.filter(Boolean).length;
}

interface Sold {
  readonly availability?: { readonly quantity?: { readonly provenance?: { readonly inputs?: readonly unknown[] } } };
}
