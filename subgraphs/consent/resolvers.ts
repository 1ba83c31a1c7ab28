import type { ConsentState } from '#domain/consent/overview.ts';
import type {
  ConsentAnswer,
  ConsentService,
  RecordConsentInput,
  WithdrawConsentInput,
} from '#domain/consent/service.ts';
import { explainingInput } from '#platform/input-errors.ts';
import { referenceResolver } from '#platform/references.ts';
import type { ResolverMap } from '#platform/resolver-check.ts';
import type { SubgraphContext } from '#platform/subgraph.ts';
import { isPurpose } from '#schema/purposes.ts';
import type { ConsentLoaders, CustomerRow } from './loaders.ts';
import { purposeRows, toPurposeRow } from './purposes.ts';

type Context = SubgraphContext<ConsentLoaders>;
/** GraphQL has checked the types; what a caller leaves out is absent. */
type Given<T> = { readonly [K in keyof T]: null extends T[K] ? T[K] | undefined : T[K] };

/** Field resolvers of the consent subgraph. Errors: LEDGER_UNAVAILABLE where the ledger cannot be reached. */
export function createConsentResolvers(consent: ConsentService): ResolverMap<ConsentLoaders> {
  return {
    Query: {
      purposes: (_root, { locale }: { locale?: string | null }) => purposeRows(locale ?? 'en'),
    },
    Mutation: {
      recordConsent: async (_root, { input }: { input: Given<RecordConsentInput> }, { request }) =>
        explainingInput(async () =>
          toResult(await consent.recordConsent({ ...input, ...unitOf(input), notice: input.notice ?? null }, request)),
        ),
      withdrawConsent: async (_root, { input }: { input: Given<WithdrawConsentInput> }, { request }) =>
        explainingInput(async () => toResult(await consent.withdrawConsent({ ...input, ...unitOf(input) }, request))),
    },
    Customer: {
      __resolveReference: referenceResolver('id', (context: Context) => context.loaders.customers),
      consents: async (row: CustomerRow, _args, { loaders }) => loaders.consents.load(row.subjects),
    },
    Purpose: {
      __resolveReference: ({ id }: { id: unknown }) =>
        typeof id === 'string' && isPurpose(id) ? toPurposeRow(id) : null,
    },
    ConsentState: {
      purpose: ({ purpose }: ConsentState) => toPurposeRow(purpose),
    },
  };
}

function unitOf(input: Given<WithdrawConsentInput>): Pick<WithdrawConsentInput, 'medium' | 'recipient'> {
  return { medium: input.medium ?? null, recipient: input.recipient ?? null };
}

function toResult(answer: ConsentAnswer): Readonly<Record<string, unknown>> {
  switch (answer.kind) {
    case 'recorded':
      return { __typename: 'ConsentRecorded', state: answer.state, receipt: answer.receipt };
    case 'rejected':
      return { __typename: 'ConsentRejected', reason: answer.reason };
    case 'conflict':
      return { __typename: 'IdempotencyConflict', idempotencyKey: answer.idempotencyKey };
  }
}
