import { MortarError } from '#platform/errors.ts';
import { MEDIA, type Medium } from '#schema/model/request.ts';
import { isPurpose, type Purpose, PURPOSES } from '#schema/purposes.ts';

/**
 * The one purpose a request declares (header `mortar-purpose`) or implies (its token carries exactly one); null: neither.
 * @throws {MortarError} BAD_USER_INPUT when it is unknown or not one; PURPOSE_NOT_ALLOWED when the token does not carry it
 */
export function resolvePurpose(header: string | undefined, allowed: readonly Purpose[]): Purpose | null {
  if (header === undefined) return (allowed.length === 1 ? allowed[0] : undefined) ?? null;
  const declared = header.trim();
  if (!isPurpose(declared)) {
    throw new MortarError('BAD_USER_INPUT', {
      message: `The header mortar-purpose names exactly one of: ${Object.keys(PURPOSES).join(', ')}.`,
    });
  }
  if (!allowed.includes(declared)) {
    const may = allowed.length === 0 ? 'It carries none.' : `It carries: ${allowed.join(', ')}.`;
    throw new MortarError('PURPOSE_NOT_ALLOWED', { message: `The token may not declare ${declared}. ${may}` });
  }
  return declared;
}

/**
 * The medium a request declares (header `mortar-medium`); null: undeclared.
 * @throws {MortarError} BAD_USER_INPUT when it is unknown
 */
export function resolveMedium(header: string | undefined): Medium | null {
  if (header === undefined) return null;
  const medium = MEDIA.find((known) => known === header.trim());
  if (medium !== undefined) return medium;
  throw new MortarError('BAD_USER_INPUT', {
    message: `The header mortar-medium names exactly one of: ${MEDIA.join(', ')}.`,
  });
}
