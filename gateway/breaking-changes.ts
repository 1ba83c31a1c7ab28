import { findBreakingChanges, print } from 'graphql';

import { apiSchemaOf } from './api-schema.ts';
import { directiveNamed, indexSdls } from './governance/sdl-index.ts';
import { readPolicy } from './policy.ts';
import type { SdlIndex } from './governance/sdl-index.ts';
import type { FieldPolicy } from './policy.ts';

const index = (sdl: string): SdlIndex => indexSdls([{ name: 'supergraph', sdl }]);

function personalDataChange(before: FieldPolicy, after: FieldPolicy | undefined): string | null {
  const [was, is] = [before.personalData, after?.personalData ?? null];
  if (was === null) return null;
  if (is === null) return 'is no longer @personalData';
  if (was.category !== is.category) return `changed its category from ${was.category} to ${is.category}`;
  const added = is.purposes.filter((purpose) => !was.purposes.includes(purpose));
  return added.length === 0 ? null : `now also serves ${added.join(', ')}`;
}

function scopesChange(before: FieldPolicy | undefined, after: FieldPolicy | undefined): string | null {
  const [was, is] = [before?.scopes ?? null, after?.scopes ?? null];
  if (JSON.stringify(was) !== JSON.stringify(is)) {
    return `changed its scopes from ${JSON.stringify(was ?? [])} to ${JSON.stringify(is ?? [])}`;
  }
  return before?.authenticated === true && after?.authenticated !== true ? 'is no longer @authenticated' : null;
}

/** Rules of fields that both versions have: loosened consent, or other scopes. */
function fieldRuleChanges(released: string, current: string): readonly string[] {
  const [before, after] = [readPolicy(released).fields, readPolicy(current).fields];
  const stays = index(current).byCoordinate;
  const coordinates = new Set([...before.keys(), ...after.keys()].filter((coordinate) => stays.has(coordinate)));
  const existed = index(released).byCoordinate;
  return [...coordinates].toSorted().flatMap((coordinate) => {
    if (!existed.has(coordinate)) return [];
    const [was, is] = [before.get(coordinate), after.get(coordinate)];
    const changes = [was === undefined ? null : personalDataChange(was, is), scopesChange(was, is)];
    return changes.filter((change) => change !== null).map((change) => `${coordinate} ${change}.`);
  });
}

/** `@subject` or `@owner` taken from a type, or `@publicData` turned into nothing. */
function removedMarks(released: string, current: string): readonly string[] {
  const [before, after] = [index(released), index(current)];
  return before.types.flatMap((type) => {
    const now = after.byName.get(type.name)?.[0];
    if (now === undefined) return [];
    const onType = ['subject', 'owner'].flatMap((name) => {
      const [was, is] = [directiveNamed(type, name), directiveNamed(now, name)];
      if (was === undefined) return [];
      if (is === undefined) return [`${type.name} lost its @${name}.`];
      return name === 'subject' && print(was) !== print(is) ? [`${type.name} changed its @subject.`] : [];
    });
    const onFields = type.fields.flatMap((field) => {
      const same = now.fields.find((other) => other.name === field.name);
      const wasPublic = directiveNamed(field.node, 'publicData') !== undefined;
      if (same === undefined || !wasPublic) return [];
      const isMarked = ['publicData', 'personalData'].some((name) => directiveNamed(same.node, name) !== undefined);
      return isMarked ? [] : [`${field.coordinate} lost its @publicData.`];
    });
    return [...onType, ...onFields];
  });
}

/** One of the alternatives asks for less than every alternative before did. */
function areScopesLooser(was: FieldPolicy['scopes'], is: FieldPolicy['scopes']): boolean {
  if (was === null) return false;
  return is === null || is.some((now) => !was.some((before) => before.every((scope) => now.includes(scope))));
}

/**
 * What one supergraph shows that another kept to itself, of the fields both have: consent or scopes that were loosened,
 * types that are no longer about people. Stricter rules and fields that went are none. Each begins with its coordinate.
 */
export function findOpenings(beforeSdl: string, currentSdl: string): readonly string[] {
  const [before, after] = [readPolicy(beforeSdl).fields, readPolicy(currentSdl).fields];
  const stays = index(currentSdl).byCoordinate;
  const openings = [...before].flatMap(([coordinate, was]) => {
    if (!stays.has(coordinate)) return [];
    const is = after.get(coordinate);
    const personal = personalDataChange(was, is);
    const looser = areScopesLooser(was.scopes, is?.scopes ?? null) ? 'asks for fewer scopes' : null;
    const anonymous = was.authenticated && is?.authenticated !== true ? 'is no longer @authenticated' : null;
    return [personal, looser, anonymous].flatMap((change) => (change === null ? [] : [`${coordinate} ${change}.`]));
  });
  return [...openings, ...removedMarks(beforeSdl, currentSdl)];
}

/**
 * What of the released supergraph the current one breaks for callers or for people: removed or changed elements of the
 * API, governance directives that vanished, consent that was loosened, scopes that changed. Empty: nothing.
 */
export function findBreaks(releasedSdl: string, currentSdl: string): readonly string[] {
  const api = findBreakingChanges(apiSchemaOf(releasedSdl), apiSchemaOf(currentSdl)).map(
    (change) => change.description,
  );
  return [...api, ...fieldRuleChanges(releasedSdl, currentSdl), ...removedMarks(releasedSdl, currentSdl)];
}
