import type { Medium } from '#schema/model/request.ts';

export interface CategoryDefinition {
  /** The media the category can be used for; empty: a decision for every medium (`*`) is needed where media count. */
  readonly media: readonly Medium[];
  /** Whether a value alone points at one person. */
  readonly identifies: boolean;
  /** Days after the last order relation until the value must go. */
  readonly retentionDays: number;
  readonly sensitivity: 'LOW' | 'NORMAL' | 'HIGH';
  readonly description: string;
}

const definitions = {
  'contact.email': {
    media: ['EMAIL'],
    identifies: true,
    retentionDays: 1095,
    sensitivity: 'NORMAL',
    description: 'An address for electronic mail.',
  },
  'contact.phone': {
    media: ['SMS', 'PHONE'],
    identifies: true,
    retentionDays: 1095,
    sensitivity: 'NORMAL',
    description: 'A telephone number, for calls and text messages.',
  },
  'contact.address': {
    media: ['POST'],
    identifies: true,
    retentionDays: 1095,
    sensitivity: 'NORMAL',
    description: 'A postal address.',
  },
  'identity.name': {
    media: [],
    identifies: true,
    retentionDays: 1095,
    sensitivity: 'NORMAL',
    description: 'Given and family name.',
  },
  'identity.birthDate': {
    media: [],
    identifies: true,
    retentionDays: 1095,
    sensitivity: 'HIGH',
    description: 'Date of birth.',
  },
  'behavior.orders': {
    media: [],
    identifies: false,
    retentionDays: 3650,
    sensitivity: 'NORMAL',
    description: 'What was ordered, when, where and for how much.',
  },
  'behavior.interactions': {
    media: [],
    identifies: false,
    retentionDays: 395,
    sensitivity: 'NORMAL',
    description: 'Visits, views, searches and other interactions.',
  },
  loyalty: {
    media: [],
    identifies: false,
    retentionDays: 1095,
    sensitivity: 'LOW',
    description: 'Loyalty accounts, tiers and points.',
  },
  preferences: {
    media: [],
    identifies: false,
    retentionDays: 1095,
    sensitivity: 'LOW',
    description: 'Preferred brands, categories and sizes.',
  },
} as const satisfies Record<string, CategoryDefinition>;

export type Category = keyof typeof definitions;

/** Every category of personal data a governed field may name. */
export const CATEGORIES: Readonly<Record<Category, CategoryDefinition>> = definitions;

export function isCategory(text: string): text is Category {
  return Object.hasOwn(definitions, text);
}
