import type { DatasetCustomer } from '#sandbox/dataset/online-retail.ts';
import { createPersonalValues } from './personal-values.ts';
import { createPersonMaker } from './person-maker.ts';
import type { PersonMaker, PersonPlan } from './person-maker.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import type { Scale, WorldPerson } from './types.ts';

const COUNTS: Readonly<Record<Scale, number>> = { small: 300, medium: 5_000, large: 50_000 };

/**
 * The people behind the profiles. Every twentieth group is a designed case, so that even a small world holds each of:
 * a household that shares an e-mail address, two generations that share phone and surname but no birth date, a
 * duplicate with a typing error inside one system, a test record, a person without e-mail.
 */
export function buildPeople(options: {
  readonly seed: number;
  readonly scale: Scale;
  readonly builtAt: string;
  /** Real customers (their countries and numbers) instead of invented ones; contact values are always invented. */
  readonly customers: readonly DatasetCustomer[] | null;
}): readonly WorldPerson[] {
  const random = createRandom(options.seed, 'people');
  const values = createPersonalValues(options.seed);
  const maker = createPersonMaker({ seed: options.seed, builtAt: options.builtAt, values });
  const total = options.customers?.length ?? COUNTS[options.scale];
  const people: WorldPerson[] = [];
  while (people.length < total) {
    const customer = options.customers?.[people.length];
    const plan: PersonPlan = {
      personId: customer === undefined ? `P${String(people.length + 1).padStart(6, '0')}` : `P${customer.id}`,
      country: customer?.country ?? pickCountry(random),
    };
    const designed = people.length % 20 === 7;
    people.push(
      ...(designed ? designedCase(maker, plan, people.length) : [maker.person({ ...plan, ...pickPlan(random) })]),
    );
  }
  return people;
}

function pickCountry(random: Random): string {
  return random.weighted([
    ['GB', 88],
    ['DE', 5],
    ['FR', 4],
    ['US', 3],
  ]);
}

function pickPlan(random: Random): Partial<PersonPlan> {
  const systems = random.weighted<PersonPlan['systems']>([
    [['crm'], 24],
    [['pos'], 16],
    [['crm', 'pos'], 40],
    [['marketplace'], 8],
    [['crm', 'marketplace'], 6],
    [['crm', 'pos', 'marketplace'], 6],
  ]);
  const tie = random.weighted<PersonPlan['tie']>([
    ['VERIFIED_EMAIL', 45],
    ['PHONE_AND_NAME', 25],
    ['LOYALTY', 18],
    ['NONE', 12],
  ]);
  return { systems, tie };
}

/** Two records for a household or two generations; one for the other cases. */
function designedCase(maker: PersonMaker, plan: PersonPlan, index: number): readonly WorldPerson[] {
  const which = Math.floor(index / 20) % 5;
  if (which === 0) return maker.household(plan);
  if (which === 1) return maker.generations(plan);
  if (which === 2) return [maker.duplicate(plan)];
  if (which === 3) return [maker.person({ ...plan, systems: ['crm', 'pos'], tie: 'VERIFIED_EMAIL', isTest: true })];
  return [maker.person({ ...plan, systems: ['crm', 'pos'], tie: 'PHONE_AND_NAME', withoutEmail: true })];
}
