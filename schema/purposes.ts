import type { Role } from '#schema/model/request.ts';

/** How a purpose becomes lawful: OPT_IN needs a grant, OPT_OUT needs no objection, OTHER_BASIS another lawful basis. */
export type ConsentMechanism = 'OPT_IN' | 'OPT_OUT' | 'OTHER_BASIS';

/** GDPR article 6(1) bases the registry uses. A purpose never falls back to another basis. */
export type LegalBasis = 'CONSENT' | 'CONTRACT' | 'LEGITIMATE_INTEREST' | 'LEGAL_OBLIGATION';

interface PurposeText {
  readonly title: string;
  readonly description: string;
  readonly examples: readonly string[];
}

export interface PurposeDefinition {
  /** IRI of the W3C Data Privacy Vocabulary (DPV 2). */
  readonly dpvIri: string;
  readonly basis: LegalBasis;
  readonly mechanism: ConsentMechanism;
  /** Days a grant holds before it expires; null: no expiry of its own. */
  readonly grantDays: number | null;
  readonly objectable: boolean;
  /** May serve people known to be minors. */
  readonly minors: boolean;
  /** Decisions are always per recipient: no grant covers every recipient. */
  readonly perRecipient: boolean;
  readonly text: Readonly<Record<'en', PurposeText>> & Readonly<Record<string, PurposeText>>;
}

const definitions = {
  ORDER_FULFILLMENT: {
    dpvIri: 'https://w3id.org/dpv#FulfilmentOfContractualObligation',
    basis: 'CONTRACT',
    mechanism: 'OTHER_BASIS',
    grantDays: null,
    objectable: false,
    minors: true,
    perRecipient: false,
    text: {
      en: {
        title: 'Fulfilling your order',
        description: 'We use what is needed to pack, deliver or hand over what you ordered, while the order is open.',
        examples: ['Printing your address on the parcel', 'Telling you that your order is ready for pickup'],
      },
    },
  },
  SERVICE_SUPPORT: {
    dpvIri: 'https://w3id.org/dpv#CustomerCare',
    basis: 'CONTRACT',
    mechanism: 'OTHER_BASIS',
    grantDays: null,
    objectable: false,
    minors: true,
    perRecipient: false,
    text: {
      en: {
        title: 'Helping you',
        description: 'We use your details to answer your questions and to handle returns and repairs.',
        examples: ['Finding your order when you call', 'Arranging a refund'],
      },
    },
  },
  MARKETING: {
    dpvIri: 'https://w3id.org/dpv#Marketing',
    basis: 'CONSENT',
    mechanism: 'OPT_IN',
    grantDays: 730,
    objectable: true,
    minors: false,
    perRecipient: false,
    text: {
      en: {
        title: 'Offers and news',
        description: 'With your consent we send you offers and news by the media you choose.',
        examples: ['A newsletter by e-mail', 'A text message about a sale in your store'],
      },
    },
  },
  PERSONALIZATION: {
    dpvIri: 'https://w3id.org/dpv#Personalisation',
    basis: 'CONSENT',
    mechanism: 'OPT_IN',
    grantDays: 730,
    objectable: true,
    minors: false,
    perRecipient: false,
    text: {
      en: {
        title: 'A shop that suits you',
        description: 'With your consent we use your purchases and preferences to suggest what may suit you.',
        examples: ['An associate who sees your sizes', 'Suggestions based on earlier orders'],
      },
    },
  },
  ANALYTICS: {
    dpvIri: 'https://w3id.org/dpv#CustomerManagement',
    basis: 'CONSENT',
    mechanism: 'OPT_IN',
    grantDays: 730,
    objectable: true,
    minors: false,
    perRecipient: false,
    text: {
      en: {
        title: 'Understanding our business',
        description: 'With your consent your purchases count in statistics that never show you as a person.',
        examples: ['How often products are bought together', 'Which stores need more stock'],
      },
    },
  },
  THIRD_PARTY_SHARING: {
    dpvIri: 'https://w3id.org/dpv#ServiceProvision',
    basis: 'CONSENT',
    mechanism: 'OPT_IN',
    grantDays: 365,
    objectable: true,
    minors: false,
    perRecipient: true,
    text: {
      en: {
        title: 'Sharing with a partner',
        description: 'Only with your consent for that one partner do we hand it any of your details.',
        examples: ['Your e-mail address for a partner marketplace you named'],
      },
    },
  },
  FRAUD_PREVENTION: {
    dpvIri: 'https://w3id.org/dpv#FraudPreventionAndDetection',
    basis: 'LEGITIMATE_INTEREST',
    mechanism: 'OPT_OUT',
    grantDays: null,
    objectable: true,
    minors: true,
    perRecipient: false,
    text: {
      en: {
        title: 'Preventing fraud',
        description: 'We check orders for signs of fraud. You may object; a person then looks at your case.',
        examples: ['Noticing that a card is used with many addresses'],
      },
    },
  },
  LEGAL_OBLIGATION: {
    dpvIri: 'https://w3id.org/dpv#LegalCompliance',
    basis: 'LEGAL_OBLIGATION',
    mechanism: 'OTHER_BASIS',
    grantDays: null,
    objectable: false,
    minors: true,
    perRecipient: false,
    text: {
      en: {
        title: 'What the law asks of us',
        description: 'We keep and hand over what the law requires, for example for taxes.',
        examples: ['Keeping invoices', 'Answering your request for a copy of your data'],
      },
    },
  },
} as const satisfies Record<string, PurposeDefinition>;

export type Purpose = keyof typeof definitions;

/** Every purpose the graph knows, in the order people are asked. A changed basis is a new purpose, never an edit. */
export const PURPOSES: Readonly<Record<Purpose, PurposeDefinition>> = definitions;

export function isPurpose(text: string): text is Purpose {
  return Object.hasOwn(definitions, text);
}

/**
 * What a role may do for a purpose. SELF: own proven subjects. BASIS: with an order relation or the law. CONSENT: if a
 * grant covers (purpose, medium, recipient). NEVER: refused before planning. The cells of partners, analysts and
 * break-glass are NEVER until pseudonymous ids, k-anonymity and the durable audit exist.
 */
export type Cell = 'SELF' | 'BASIS' | 'CONSENT' | 'NEVER';

const never = {
  ORDER_FULFILLMENT: 'NEVER',
  SERVICE_SUPPORT: 'NEVER',
  MARKETING: 'NEVER',
  PERSONALIZATION: 'NEVER',
  ANALYTICS: 'NEVER',
  THIRD_PARTY_SHARING: 'NEVER',
  FRAUD_PREVENTION: 'NEVER',
  LEGAL_OBLIGATION: 'NEVER',
} as const satisfies Record<Purpose, Cell>;

/** The role x purpose table of the consent design. */
export const ROLE_PURPOSE_CELLS: Readonly<Record<Role, Readonly<Record<Purpose, Cell>>>> = {
  customer: {
    ORDER_FULFILLMENT: 'SELF',
    SERVICE_SUPPORT: 'SELF',
    MARKETING: 'SELF',
    PERSONALIZATION: 'SELF',
    ANALYTICS: 'SELF',
    THIRD_PARTY_SHARING: 'SELF',
    FRAUD_PREVENTION: 'SELF',
    LEGAL_OBLIGATION: 'SELF',
  },
  'service-job': {
    ...never,
    ORDER_FULFILLMENT: 'BASIS',
    SERVICE_SUPPORT: 'BASIS',
    FRAUD_PREVENTION: 'BASIS',
    LEGAL_OBLIGATION: 'BASIS',
  },
  associate: { ...never, ORDER_FULFILLMENT: 'BASIS', SERVICE_SUPPORT: 'BASIS', PERSONALIZATION: 'CONSENT' },
  marketer: { ...never, MARKETING: 'CONSENT', PERSONALIZATION: 'CONSENT' },
  partner: never,
  analyst: never,
  'privacy-officer': { ...never, LEGAL_OBLIGATION: 'BASIS' },
};
