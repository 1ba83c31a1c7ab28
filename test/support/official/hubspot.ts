import { createRequire } from 'node:module';

import { Client } from '@hubspot/api-client';

import { createHubspotVendor } from '#sandbox/vendors/crm-hubspot.ts';

import { type Bench, type Captured, type Check, deliver, rejectionOf, sameTexts } from './checks.ts';

const { Signature } = createRequire(import.meta.url)('@hubspot/api-client') as {
  Signature: {
    isValid: (options: object) => boolean;
    getSignature: (method: string, version: string, options: object) => string;
  };
};

const { credentials } = createHubspotVendor();
const clientSecret = credentials['clientSecret'] ?? '';
const ONE_CONTACT = 'GET /crm/v3/objects/contacts/{contactId}';
/** What the client waits after the ten-second limit. */
const CLIENT_WAITS_MS = 10_000;

/** HubSpot's own client against the sandbox's CRM, and its signatures against our webhook address. */
export async function hubspotChecks(bench: Bench): Promise<readonly Check[]> {
  return [...(await readsAndWrites(bench)), ...(await limits(bench)), ...webhooks(bench)];
}

function clientOf({ product }: Bench, numberOfApiCallRetries: number): Client {
  return new Client({
    accessToken: credentials['token'] ?? '',
    basePath: product.urls.systems['crm'] ?? '',
    numberOfApiCallRetries,
  });
}

function erase(bench: Bench, objectId: string): Promise<void> {
  return clientOf(bench, 0).crm.contacts.basicApi.purge({ objectId });
}

async function contactsOf({
  product,
}: Bench): Promise<readonly { readonly id: string; readonly email: string | null }[]> {
  const { profiles } = await product.world();
  return profiles.filter(({ system }) => system === 'crm').map(({ externalId, email }) => ({ id: externalId, email }));
}

async function readsAndWrites(bench: Bench): Promise<readonly Check[]> {
  const { basicApi, batchApi, searchApi } = clientOf(bench, 0).crm.contacts;
  const contacts = await contactsOf(bench);
  const [known] = contacts.filter(({ email }) => email !== null);
  const erased = contacts.at(-1)?.id ?? '';
  return [
    {
      kind: 'reads',
      name: 'a batch answers known contacts and tells the unknown',
      holds: async () => {
        const ids = contacts.slice(0, 50).map(({ id }) => id);
        const inputs = [...ids, '999999999'].map((id) => ({ id }));
        const read = await batchApi.read({ inputs, properties: ['email'], propertiesWithHistory: [] });
        const isTold = 'numErrors' in read && read.numErrors === 1;
        return (
          isTold &&
          sameTexts(
            read.results.map(({ id }) => id),
            ids,
          ) &&
          read.results.every(({ updatedAt }) => updatedAt instanceof Date)
        );
      },
    },
    {
      kind: 'reads',
      name: 'the list is paged through to the last contact',
      holds: async () => {
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page = await basicApi.getPage(100, after, ['email']);
          seen.push(...page.results.map(({ id }) => id));
          after = page.paging?.next?.after;
        } while (after !== undefined);
        return sameTexts(
          seen,
          contacts.map(({ id }) => id),
        );
      },
    },
    {
      kind: 'reads',
      name: 'a search finds one by address',
      holds: async () => {
        const filters = [{ propertyName: 'email', operator: 'EQ' as never, value: known?.email ?? '' }];
        const found = await searchApi.doSearch({ filterGroups: [{ filters }], limit: 10, properties: ['email'] });
        return found.results.some(({ id }) => id === known?.id) && found.total >= 1;
      },
    },
    {
      kind: 'reads',
      name: "what is not there is an error of the client's",
      holds: async () => ((await rejectionOf(basicApi.getById('999999999'))) as { code?: number } | null)?.code === 404,
    },
    {
      kind: 'writes',
      name: 'an erased contact is gone for the client and for good',
      holds: async () => {
        await erase(bench, erased);
        const error = (await rejectionOf(basicApi.getById(erased))) as { code?: number } | null;
        return error?.code === 404 && (await contactsOf(bench)).every(({ id }) => id !== erased);
      },
    },
  ];
}

async function limits(bench: Bench): Promise<readonly Check[]> {
  const { product } = bench;
  const id = (await contactsOf(bench))[0]?.id ?? '';
  const asked = async (): Promise<number> => (await product.calls()).crm[ONE_CONTACT] ?? 0;
  return [
    {
      kind: '429',
      name: "a refusal is the client's error with the policy it names",
      holds: async () => {
        await product.fault({ system: 'crm', fault: 'rateLimit', value: 1, for: 2_000 });
        const before = await asked();
        const error = (await rejectionOf(clientOf(bench, 0).crm.contacts.basicApi.getById(id))) as {
          readonly code?: number;
          readonly body?: { readonly policyName?: string };
        } | null;
        const isTold = error?.code === 429 && error.body?.policyName === 'TEN_SECONDLY_ROLLING';
        return isTold && (await asked()) === before + 1;
      },
    },
    {
      kind: '429',
      name: 'the client waits its ten seconds and then is answered',
      holds: async () => {
        await product.fault({ system: 'crm', fault: 'rateLimit', value: 1, for: 2_000 });
        const before = await asked();
        const startedAtMs = Date.now();
        const contact = await clientOf(bench, 2).crm.contacts.basicApi.getById(id);
        return contact.id === id && (await asked()) === before + 2 && Date.now() - startedAtMs >= CLIENT_WAITS_MS;
      },
    },
  ];
}

function webhooks(bench: Bench): readonly Check[] {
  const { product, captured } = bench;
  const change = async (): Promise<void> => {
    await erase(bench, (await contactsOf(bench)).at(-1)?.id ?? '');
  };
  const isGenuine = ({ url, headers, body }: Captured): boolean =>
    Signature.isValid({
      signatureVersion: 'v3',
      method: 'POST',
      url,
      clientSecret,
      requestBody: body,
      signature: headers['x-hubspot-signature-v3'],
      timestamp: Number(headers['x-hubspot-request-timestamp']),
    });
  const url = `${product.urls.webhooks}/webhooks/crm`;
  const signed = (secret: string, timestamp: number): Captured => {
    const body = `[{"eventId":${timestamp},"subscriptionType":"contact.propertyChange","objectId":1,"text":"É漢🙂"}]`;
    const signature = Signature.getSignature('POST', 'v3', { url, clientSecret: secret, requestBody: body, timestamp });
    const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': String(timestamp) };
    return { url, headers, body };
  };
  return [
    {
      kind: 'webhooks',
      name: "the sandbox's signature is good for HubSpot's helper, a changed body is not",
      holds: async () => {
        const delivery = await captured(change);
        return isGenuine(delivery) && !isGenuine({ ...delivery, body: `${delivery.body} ` });
      },
    },
    {
      kind: 'webhooks',
      name: "the product takes what HubSpot's helper signed, once",
      holds: async () => {
        const delivery = signed(clientSecret, Date.now());
        return (await deliver(delivery)) === '200 accepted' && (await deliver(delivery)) === '200 replayed';
      },
    },
    {
      kind: 'webhooks',
      name: 'neither takes one of another secret, of another body or too old',
      holds: async () => {
        const other = signed('another-secret', Date.now());
        const changed = { ...signed(clientSecret, Date.now()), body: '[{"subscriptionType":"contact.creation"}]' };
        const old = signed(clientSecret, Date.now() - 301_000);
        const helper = [other, changed].map(isGenuine);
        const late = await rejectionOf(Promise.resolve().then(() => isGenuine(old)));
        const answers = await Promise.all([other, changed, old].map(deliver));
        return !helper.includes(true) && late instanceof Error && answers.every((answer) => answer === '401');
      },
    },
  ];
}
