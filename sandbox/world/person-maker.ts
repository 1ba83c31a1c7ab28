import { rewritePhone } from './personal-values.ts';
import type { PersonalValues } from './personal-values.ts';
import { createPermutation, createRandom } from './random.ts';
import type { Random } from './random.ts';
import type { WorldPerson, WorldProfile } from './types.ts';
import { ASSORTMENT, BRANDS, SIZES } from './words.ts';

type ProfileSystem = WorldProfile['system'];

/** What a person is to be; everything left out is ordinary. */
export interface PersonPlan {
  readonly personId: string;
  readonly country: string;
  /** @default ['crm'] */
  readonly systems?: readonly ProfileSystem[] | undefined;
  /** What CRM and POS records have in common. @default 'NONE' */
  readonly tie?: 'VERIFIED_EMAIL' | 'PHONE_AND_NAME' | 'LOYALTY' | 'NONE' | undefined;
  readonly isTest?: boolean;
  readonly withoutEmail?: boolean;
}

export interface PersonMaker {
  readonly person: (plan: PersonPlan) => WorldPerson;
  /** Two people, one in CRM and one in POS, who share an e-mail address and a surname. */
  readonly household: (plan: PersonPlan) => readonly WorldPerson[];
  /** Two people who share phone and surname but were born on different dates. */
  readonly generations: (plan: PersonPlan) => readonly WorldPerson[];
  /** One person twice in the CRM: the surname mistyped, the e-mail address the same. */
  readonly duplicate: (plan: PersonPlan) => WorldPerson;
}

interface Traits {
  readonly givenName: string;
  readonly familyName: string;
  readonly email: string;
  readonly phone: string;
  readonly birthDate: string;
  readonly loyaltyNumber: string;
}

const HOUR_MS = 3_600_000;
const YEAR_HOURS = 365 * 24;

export function createPersonMaker(options: {
  readonly seed: number;
  readonly builtAt: string;
  readonly values: PersonalValues;
}): PersonMaker {
  const { values, seed } = options;
  const random = createRandom(seed, 'profiles');
  const crmNumber = createPermutation(seed, 'crm ids', 10 ** 8);
  let crmCount = 0;

  const externalIdOf = (system: ProfileSystem, alias: string): string => {
    if (system === 'marketplace') return alias;
    if (system === 'pos') return random.text(26);
    crmCount += 1;
    return String(100_000_000 + crmNumber(crmCount));
  };

  const traitsOf = (country: string): Traits => {
    const givenName = values.givenName(country);
    const familyName = values.familyName(country);
    return {
      givenName,
      familyName,
      email: values.email(givenName, familyName),
      phone: values.phone(country),
      birthDate: values.birthDate(),
      loyaltyNumber: values.loyaltyNumber(),
    };
  };

  const profileOf = (system: ProfileSystem, plan: PersonPlan, own: Partial<WorldProfile>): WorldProfile => {
    const alias = system === 'marketplace' ? values.alias() : '';
    const ageHours = random.between(48, 4 * YEAR_HOURS);
    const builtAtMs = Date.parse(options.builtAt);
    return {
      system,
      externalId: externalIdOf(system, alias),
      personId: plan.personId,
      givenName: '',
      familyName: '',
      email: system === 'marketplace' ? `${alias}@marketplace.amazon.co.uk` : null,
      emailVerified: false,
      phone: null,
      address: random.chance(0.85) || system === 'marketplace' ? values.address(plan.country) : null,
      birthDate: null,
      loyaltyNumber: null,
      preferences: system === 'crm' && random.chance(0.7) ? pickPreferences(random) : null,
      isTest: plan.isTest ?? false,
      createdAt: new Date(builtAtMs - ageHours * HOUR_MS).toISOString(),
      updatedAt: new Date(builtAtMs - random.between(1, ageHours) * HOUR_MS).toISOString(),
      ...own,
    };
  };

  const person = (plan: PersonPlan): WorldPerson => {
    const traits = traitsOf(plan.country);
    const systems = plan.systems ?? ['crm'];
    const tie = systems.length > 1 ? (plan.tie ?? 'NONE') : 'NONE';
    const profiles = systems.map((system, index) => {
      const fresh = { email: values.email(traits.givenName, traits.familyName), phone: values.phone(plan.country) };
      return profileOf(system, plan, ownValues({ system, traits, tie, first: index === 0, fresh, random, plan }));
    });
    return { personId: plan.personId, isTest: plan.isTest ?? false, country: plan.country, profiles };
  };

  const relatives = (plan: PersonPlan, share: (traits: Traits) => Partial<Traits>): readonly WorldPerson[] => {
    const elder = traitsOf(plan.country);
    const younger = { ...traitsOf(plan.country), ...share(elder) };
    return [elder, younger].map((traits, index) => {
      const system = index === 0 ? 'crm' : 'pos';
      const own = index === 0 ? plan : { ...plan, personId: `${plan.personId}B` };
      const { loyaltyNumber: _unused, ...rest } = traits;
      const profile = profileOf(system, own, {
        ...rest,
        emailVerified: system === 'crm' || traits.email === elder.email,
      });
      return { personId: own.personId, isTest: false, country: plan.country, profiles: [profile] };
    });
  };

  return {
    person,
    household: (plan) => relatives(plan, ({ familyName, email }) => ({ familyName, email })),
    generations: (plan) => relatives(plan, ({ familyName, phone }) => ({ familyName, phone })),
    duplicate: (plan) => {
      const { loyaltyNumber: _unused, ...rest } = traitsOf(plan.country);
      const first = profileOf('crm', plan, { ...rest, emailVerified: true });
      const typo = { ...rest, familyName: mistype(rest.familyName), phone: values.phone(plan.country) };
      const second = profileOf('crm', plan, { ...typo, birthDate: null, emailVerified: true });
      return { personId: plan.personId, isTest: false, country: plan.country, profiles: [first, second] };
    },
  };
}

/** What one record says of its person: shared with the first record where the tie says so, its own text elsewhere. */
function ownValues(record: {
  readonly system: ProfileSystem;
  readonly traits: Traits;
  readonly tie: NonNullable<PersonPlan['tie']>;
  readonly first: boolean;
  readonly fresh: { readonly email: string; readonly phone: string };
  readonly random: Random;
  readonly plan: PersonPlan;
}): Partial<WorldProfile> {
  const { system, traits, tie, first, fresh, random } = record;
  const { givenName, familyName } = traits;
  if (system === 'marketplace') return { givenName, familyName };
  const sharesEmail = first || tie === 'VERIFIED_EMAIL';
  const email =
    record.plan.withoutEmail || random.chance(tie === 'VERIFIED_EMAIL' ? 0 : 0.05)
      ? null
      : sharesEmail
        ? traits.email
        : fresh.email;
  const phone = first ? traits.phone : tie === 'PHONE_AND_NAME' ? rewritePhone(traits.phone, random) : fresh.phone;
  const hasLoyalty = tie === 'LOYALTY' || (system === 'pos' && tie !== 'NONE' && random.chance(0.4));
  return {
    givenName,
    familyName,
    email,
    emailVerified: email !== null && (tie === 'VERIFIED_EMAIL' || random.chance(0.6)),
    phone: tie === 'PHONE_AND_NAME' || random.chance(0.85) ? phone : null,
    birthDate: random.chance(system === 'crm' ? 0.7 : 0.3) ? traits.birthDate : null,
    loyaltyNumber: hasLoyalty ? traits.loyaltyNumber : null,
  };
}

function pickPreferences(random: Random): NonNullable<WorldProfile['preferences']> {
  const some = <V>(values: readonly V[]) => values.filter(() => random.chance(0.3));
  return { brands: some(BRANDS), categories: some(Object.keys(ASSORTMENT)), sizes: some(SIZES) };
}

/** Swaps the third and second letter from the end. */
function mistype(name: string): string {
  return `${name.slice(0, -3)}${name.charAt(name.length - 2)}${name.charAt(name.length - 3)}${name.slice(-1)}`;
}
