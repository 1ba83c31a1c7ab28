import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import type { WorldConsent, WorldPerson, WorldProfile } from './types.ts';

/** The registered partner of the sandbox. */
export const SANDBOX_RECIPIENT = 'amazon-marketplace';

interface Step {
  readonly purpose: string;
  readonly medium?: string;
  readonly recipient?: string;
  readonly decision: WorldConsent['decision'];
  /** Days before the world was built. */
  readonly days: number;
  readonly evidence: string;
}

type Story = readonly [name: string, weight: number, steps: readonly Step[]];

const FORM = 'web form, newsletter box ticked';
const TILL = 'till prompt, signed on screen';
const CENTER = 'preference center';

// What people decided over time. Grants of MARKETING, PERSONALIZATION and ANALYTICS lapse after 730 days, of
// THIRD_PARTY_SHARING after 365.
const STORIES: readonly Story[] = [
  ['never asked', 18, []],
  [
    'grants everything',
    16,
    [
      { purpose: 'MARKETING', decision: 'GRANT', days: 120, evidence: FORM },
      { purpose: 'PERSONALIZATION', decision: 'GRANT', days: 120, evidence: FORM },
      { purpose: 'ANALYTICS', decision: 'GRANT', days: 120, evidence: FORM },
    ],
  ],
  [
    'e-mail yes, text messages no',
    10,
    [
      { purpose: 'MARKETING', medium: 'EMAIL', decision: 'GRANT', days: 200, evidence: FORM },
      { purpose: 'MARKETING', medium: 'SMS', decision: 'DENY', days: 200, evidence: FORM },
      { purpose: 'PERSONALIZATION', decision: 'GRANT', days: 199, evidence: TILL },
    ],
  ],
  [
    'everything but the phone',
    8,
    [
      { purpose: 'MARKETING', decision: 'GRANT', days: 300, evidence: TILL },
      { purpose: 'MARKETING', medium: 'PHONE', decision: 'DENY', days: 90, evidence: CENTER },
    ],
  ],
  [
    'denies everything',
    10,
    [
      { purpose: 'MARKETING', decision: 'DENY', days: 60, evidence: FORM },
      { purpose: 'PERSONALIZATION', decision: 'DENY', days: 60, evidence: FORM },
      { purpose: 'ANALYTICS', decision: 'DENY', days: 60, evidence: FORM },
    ],
  ],
  [
    'changed their mind: no more',
    10,
    [
      { purpose: 'MARKETING', decision: 'GRANT', days: 400, evidence: FORM },
      { purpose: 'PERSONALIZATION', decision: 'GRANT', days: 400, evidence: FORM },
      { purpose: 'MARKETING', decision: 'WITHDRAW', days: 20, evidence: 'unsubscribe link' },
      { purpose: 'PERSONALIZATION', decision: 'WITHDRAW', days: 20, evidence: CENTER },
    ],
  ],
  [
    'came back',
    5,
    [
      { purpose: 'MARKETING', decision: 'GRANT', days: 500, evidence: FORM },
      { purpose: 'MARKETING', decision: 'WITHDRAW', days: 250, evidence: 'unsubscribe link' },
      { purpose: 'MARKETING', decision: 'GRANT', days: 15, evidence: TILL },
    ],
  ],
  [
    'long ago: lapsed',
    7,
    [
      { purpose: 'MARKETING', decision: 'GRANT', days: 800, evidence: TILL },
      { purpose: 'PERSONALIZATION', decision: 'GRANT', days: 800, evidence: TILL },
      { purpose: 'THIRD_PARTY_SHARING', recipient: SANDBOX_RECIPIENT, decision: 'GRANT', days: 400, evidence: FORM },
    ],
  ],
  [
    'objects',
    5,
    [
      { purpose: 'MARKETING', medium: 'EMAIL', decision: 'GRANT', days: 150, evidence: FORM },
      { purpose: 'FRAUD_PREVENTION', decision: 'OBJECT', days: 30, evidence: 'letter to customer care' },
    ],
  ],
  [
    'objects to advertising',
    3,
    [
      { purpose: 'MARKETING', decision: 'GRANT', days: 150, evidence: FORM },
      { purpose: 'MARKETING', decision: 'OBJECT', days: 45, evidence: 'letter to customer care' },
    ],
  ],
  [
    'shares with the partner',
    6,
    [
      { purpose: 'THIRD_PARTY_SHARING', recipient: SANDBOX_RECIPIENT, decision: 'GRANT', days: 80, evidence: CENTER },
      { purpose: 'PERSONALIZATION', decision: 'GRANT', days: 80, evidence: CENTER },
    ],
  ],
  [
    'shared, no longer',
    4,
    [
      { purpose: 'THIRD_PARTY_SHARING', recipient: SANDBOX_RECIPIENT, decision: 'GRANT', days: 180, evidence: CENTER },
      {
        purpose: 'THIRD_PARTY_SHARING',
        recipient: SANDBOX_RECIPIENT,
        decision: 'WITHDRAW',
        days: 10,
        evidence: CENTER,
      },
    ],
  ],
];

const DAY_MS = 86_400_000;

/**
 * The past decisions, oldest first. Each record of a person has its own story: two systems may well contradict each
 * other. Marketplaces ask nobody, so their buyers have decided nothing.
 */
export function buildConsents(options: {
  readonly seed: number;
  readonly builtAt: string;
  readonly people: readonly WorldPerson[];
}): readonly WorldConsent[] {
  const random = createRandom(options.seed, 'consents');
  const builtAtMs = Date.parse(options.builtAt);
  const choices = STORIES.map(([, weight, steps]) => [steps, weight] as const);
  const decide = (profile: WorldProfile, steps: readonly Step[]) =>
    steps.map((step) => toConsent({ profile, step, random, builtAtMs }));
  const all = options.people.flatMap((person) => {
    // Mostly the same answer everywhere; one in four people said something else at the till.
    const usual = random.weighted(choices);
    return person.profiles
      .filter((profile) => profile.system !== 'marketplace')
      .flatMap((profile) => decide(profile, random.chance(0.75) ? usual : random.weighted(choices)));
  });
  return all.toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
}

function toConsent(parts: {
  readonly profile: WorldProfile;
  readonly step: Step;
  readonly random: Random;
  readonly builtAtMs: number;
}): WorldConsent {
  const { profile, step, random } = parts;
  return {
    system: profile.system,
    externalId: profile.externalId,
    purpose: step.purpose,
    medium: step.medium ?? null,
    recipient: step.recipient ?? null,
    decision: step.decision,
    // Within the day, so that the order of a story's steps holds.
    at: new Date(parts.builtAtMs - step.days * DAY_MS + random.between(0, DAY_MS / 2)).toISOString(),
    evidence: step.evidence,
  };
}
