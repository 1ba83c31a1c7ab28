import { ERROR_CODES } from '#platform/errors.ts';
import { code, generatedNote, table } from './markdown.ts';
import type { Page } from './markdown.ts';

/** docs/errors.md, from the table in platform/errors.ts. */
export function errorPage(): Page {
  const rows = Object.entries(ERROR_CODES).map(([name, row]) => [
    code(name),
    String(row.http),
    row.retryable ? 'yes' : 'no',
    row.message,
    row.action,
    row.since,
  ]);
  const text = [
    generatedNote,
    '',
    '# Error codes',
    '',
    'Every error carries one of these in `extensions.code`; the list is closed, a code is never renamed or reused.',
    'The HTTP status is that of an answer that fails as a whole; an error of a single field leaves the status 200 and the',
    "rest of the answer right. `extensions.system` names the connected system where one is concerned. A person's refusal",
    'is not an error: see `extensions.consent` and [consent rules](consent-rules.md).',
    '',
    table(['Code', 'HTTP', 'Retry?', 'Message', 'What to do', 'Since'], rows),
    '',
  ].join('\n');
  return { path: 'docs/errors.md', text };
}
