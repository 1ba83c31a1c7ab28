import { type ConsentMechanism, isPurpose, type Purpose, type PurposeDefinition, PURPOSES } from '#schema/purposes.ts';

/** A purpose in one language. */
export interface PurposeRow {
  readonly id: Purpose;
  readonly title: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly mechanism: ConsentMechanism;
  readonly dpvIri: string;
}

/** The purpose in the language asked for, its base language, or English. */
export function toPurposeRow(id: Purpose, locale = 'en'): PurposeRow {
  const { text, mechanism, dpvIri }: PurposeDefinition = PURPOSES[id];
  const texts = new Map(Object.entries(text));
  const [language = 'en'] = locale.toLowerCase().split('-');
  const { title, description, examples } = texts.get(locale) ?? texts.get(language) ?? text.en;
  return { id, title, description, examples, mechanism, dpvIri };
}

/** Every purpose, in the order people are asked. */
export function purposeRows(locale: string): readonly PurposeRow[] {
  return Object.keys(PURPOSES)
    .filter((id) => isPurpose(id))
    .map((id) => toPurposeRow(id, locale));
}
