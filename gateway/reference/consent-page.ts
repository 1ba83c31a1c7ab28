import { CATEGORIES } from '#schema/categories.ts';
import { ROLES } from '#schema/model/request.ts';
import { PURPOSES, ROLE_PURPOSE_CELLS } from '#schema/purposes.ts';
import { code, generatedNote, table } from './markdown.ts';
import type { Purpose } from '#schema/purposes.ts';
import type { Policy } from '#gateway/policy.ts';
import type { Page } from './markdown.ts';

const purposeNames = Object.keys(PURPOSES) as Purpose[];
const cellTexts = { SELF: 'own', BASIS: 'basis', CONSENT: 'consent', NEVER: '-' } as const;

function fieldRows(policy: Policy): readonly (readonly string[])[] {
  return [...policy.fields.values()]
    .flatMap(({ personalData }) => (personalData === null ? [] : [personalData]))
    .toSorted((a, b) => (a.coordinate < b.coordinate ? -1 : 1))
    .map((field) => [code(field.coordinate), field.category, field.purposes.join(', ')]);
}

const roleRows = (): readonly (readonly string[])[] =>
  ROLES.map((role) => [role, ...purposeNames.map((purpose) => cellTexts[ROLE_PURPOSE_CELLS[role][purpose]])]);

const purposeRows = (): readonly (readonly string[])[] =>
  purposeNames.map((name) => {
    const { basis, mechanism, grantDays, text } = PURPOSES[name];
    return [code(name), text.en.title, basis, mechanism, grantDays === null ? 'none' : `${grantDays} days`];
  });

const categoryRows = (): readonly (readonly string[])[] =>
  Object.entries(CATEGORIES).map(([name, category]) => [
    code(name),
    category.description,
    category.media.join(', ') || 'none',
    category.identifies ? 'yes' : 'no',
    `${category.retentionDays} days`,
  ]);

/** docs/consent-rules.md: every governed field, the registries and the role x purpose table. */
export function consentPage(policy: Policy): Page {
  const text = [
    generatedNote,
    '',
    '# Consent rules',
    '',
    'A personal field leaves the graph only for a purpose it serves, only to a role that may act for that purpose, and',
    'only where the person agrees or another lawful basis holds. A withheld field is null; `extensions.consent` says why.',
    '',
    '## Personal fields',
    '',
    table(['Field', 'Category', 'Purposes it may serve'], fieldRows(policy)),
    '',
    '## Roles and purposes',
    '',
    '*own*: the subjects a customer proved in this login; *basis*: with an order relation, or the law; *consent*: where a',
    'grant covers purpose, medium and recipient; *-*: never, refused before anything is fetched.',
    '',
    table(['Role', ...purposeNames], roleRows()),
    '',
    '## Purposes',
    '',
    table(['Purpose', 'Title', 'Legal basis', 'Mechanism', 'A grant holds'], purposeRows()),
    '',
    '## Categories',
    '',
    table(['Category', 'Meaning', 'Media', 'Identifies alone', 'Kept'], categoryRows()),
    '',
  ].join('\n');
  return { path: 'docs/consent-rules.md', text };
}
