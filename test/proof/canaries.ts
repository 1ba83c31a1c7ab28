import type { WorldTruth } from '#sandbox/world-truth.ts';

const EMAIL = /[\w.+-]+@[\w.-]+\.[a-z]{2,}/gi;
const PHONE = /\+?\d[\d\s().-]{7,18}\d/g;

/** Finds unique personal values of the world in any text: nothing of them may be where it was not granted. */
export interface Canaries {
  /** The canonical form of every known value in the text. */
  readonly findIn: (text: string) => ReadonlySet<string>;
  /** The same for texts that are JSON: their strings are looked at one by one. */
  readonly findInJson: (body: unknown, into?: Set<string>) => Set<string>;
  readonly count: number;
}

/** The form in which a value is looked up and permitted. */
export function canaryOf(kind: 'text' | 'email' | 'phone', value: string): string {
  if (kind === 'phone') return `phone ${value.replaceAll(/\D/g, '').slice(-9)}`;
  return `${kind} ${value.toLowerCase()}`;
}

/** Names, addresses of streets, e-mail addresses and telephone numbers of profiles and guests. */
export function createCanaries(world: WorldTruth): Canaries {
  const people = [...world.profiles, ...world.orders.flatMap(({ guest }) => (guest === null ? [] : [guest]))];
  const texts = new Set<string>();
  const known = new Set<string>();
  for (const { givenName, familyName, email, phone, address } of people) {
    for (const text of [`${givenName} ${familyName}`, address?.street]) {
      if (text === undefined) continue;
      texts.add(text);
      known.add(canaryOf('text', text));
    }
    if (email !== null) known.add(canaryOf('email', email));
    if (phone !== null) known.add(canaryOf('phone', phone));
  }

  const shapes = (text: string, into: Set<string>): void => {
    const add = (canary: string): void => void (known.has(canary) && into.add(canary));
    for (const [email] of text.matchAll(EMAIL)) add(canaryOf('email', email));
    for (const [phone] of text.matchAll(PHONE)) add(canaryOf('phone', phone));
    add(canaryOf('text', text));
  };
  const findInJson = (body: unknown, into = new Set<string>()): Set<string> => {
    if (typeof body === 'string') shapes(body, into);
    else if (typeof body === 'object' && body !== null) {
      for (const [key, value] of Object.entries(body)) {
        shapes(key, into);
        findInJson(value, into);
      }
    }
    return into;
  };
  return {
    count: known.size,
    findInJson,
    findIn: (text) => {
      const found = new Set<string>();
      shapes(text, found);
      for (const value of texts) if (text.includes(value)) found.add(canaryOf('text', value));
      return found;
    },
  };
}
