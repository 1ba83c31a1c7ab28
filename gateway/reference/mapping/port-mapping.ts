import type { ConnectorDefinition, Ports } from '#connectors/kit/definition.ts';
import { type Origin, seal, sealOrder } from '#connectors/kit/draft.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';

import type { Exchange } from './exchange.ts';
import { fixedFields, type FixedField } from './fixed-fields.ts';
import { isObject, type IsKey } from './places.ts';
import { type Effect, probe, type ProbeOptions } from './probe.ts';
import { type Reads, readsOf } from './reads.ts';
import { renamed } from './renamed.ts';
import {
  type AnyContext,
  type AnyFeed,
  type AnyLocations,
  type AnyRead,
  type AnyWrite,
  type Replay,
  replayFeed,
  replayLocations,
  replayRead,
  replayWrite,
  type Seal,
} from './replay.ts';

// eslint-disable-next-line typescript/no-explicit-any -- settings are each definition's own affair
export type AnyDefinition = ConnectorDefinition<any>;
export type DefinedPort = keyof Ports<unknown>;

/** Something besides the vendor's answer that decides fields: an option, a part of the key. */
export interface OtherSource {
  readonly name: string;
  readonly decides: readonly string[];
}

/** What one port makes of the vendor's fields, or of the inputs of a write. */
export interface PortMapping {
  readonly port: DefinedPort;
  readonly source: string;
  readonly effects: readonly Effect[];
  readonly options: readonly OtherSource[];
  readonly keys: readonly OtherSource[];
  /** Fields the moment of reading decides. */
  readonly moment: readonly string[];
  readonly fixed: readonly FixedField[];
  /** Fields that would be read where this system never writes them. */
  readonly never: readonly string[];
}

export interface MappedPort {
  readonly definition: AnyDefinition;
  readonly port: DefinedPort;
  readonly example: Exchange;
  /** The least configuration; options of the example are added. */
  readonly config: Pick<SystemConfig, 'id' | 'url' | 'credentials' | 'options'>;
}

/** The same in every run, so that pages are. */
const UUID = '00000000-0000-4000-8000-000000000000';

/** After every instant of an example: the kit tells one to come as stale, whichever field it is. */
const OBSERVED_AT = '9999-12-31T00:00:00.000Z';

/** The example of a port ready to run. @throws {Error} when the connector asks for something else, or cannot read it */
export function replayOf({ definition, port, example, config }: MappedPort): { replay: Replay; context: AnyContext } {
  const options = { ...config.options, ...example.options };
  const settings: unknown = definition.settings({ ...config, connector: definition.id, options });
  const nowMs = Date.parse(example.at);
  const context: AnyContext = { settings, nowMs, uuid: () => UUID };
  const ports: Ports<unknown> = definition.ports;
  const found = ports[port];
  if (found === undefined) throw new Error(`${definition.id} has no port ${port}`);
  const freshnessMs = 'freshnessMs' in found ? found.freshnessMs : null;
  const origin: Origin = {
    system: toSystemId(config.id),
    connector: definition.id,
    lane: port.endsWith('Feed') ? 'NEAR_REALTIME' : 'REALTIME',
    observedAt: OBSERVED_AT,
    freshnessMs,
  };
  const sealed: Seal = port === 'orders' || port === 'orderFeed' ? (sealOrder as Seal) : (seal as Seal);
  const setting = { context, origin, seal: sealed };
  if (port === 'locations') return { context, replay: replayLocations(found as AnyLocations, example, setting) };
  if (port.endsWith('Feed')) return { context, replay: replayFeed(found as AnyFeed, example, setting) };
  if (port.endsWith('Sink')) return { context, replay: replayWrite(found as AnyWrite, example, setting) };
  return { context, replay: replayRead(found as AnyRead, example, setting) };
}

/**
 * Which of the vendor's fields decide which canonical ones.
 *
 * @throws {Error} when the example cannot be run, does not show everything that is read, or leaves a canonical field unexplained
 */
export function mapPort(mapped: MappedPort): PortMapping {
  const { port, example } = mapped;
  const { replay, context } = replayOf(mapped);
  const base = replay.run();
  if (base === null || base.lists.every((list) => list.length === 0)) throw new Error('the example has no record');
  const isKey = keysOf(example);
  const { answers, settings } = readsIn(mapped, { replay, context, isKey });
  const { asked, named } = answers;
  const run = (changed?: number): ReturnType<Replay['run']> => replay.run(changed === undefined ? {} : { changed });
  const effects = probe({ parts: replay.parts, run, isKey, isAsked: isIn(asked) });
  const told = {
    port,
    source: example.source,
    effects: effects.map((effect) => (named.has(effect.path) ? { ...effect, checked: true } : effect)),
    options: otherSources('option', context.settings, { run: () => replay.run(), isAsked: isIn(settings.asked) }),
    never: example.never,
  };
  // What is written has no fields of ours that stay the same.
  if (port.endsWith('Sink')) return { ...told, keys: [], moment: [], fixed: [] };
  const keys = keySources(example, replay, effects);
  const clock = { nowMs: context.nowMs };
  const moment = otherSources('moment', clock, { run: () => replay.run({ context: { ...context, ...clock } }) });
  const decided = [effects, told.options, keys, moment].flat().flatMap(({ decides }) => decides);
  const fixed = fixedFields(base.lists[0] ?? [], decided);
  return { ...told, keys, moment: moment.flatMap(({ decides }) => decides), fixed };
}

/** What of the key decides that no field of the answer does. The system is taken to know the changed key as it knew the first. */
function keySources({ keys, answers }: Exchange, replay: Replay, effects: readonly Effect[]): readonly OtherSource[] {
  const from = structuredClone(keys);
  const run = (): ReturnType<Replay['run']> =>
    replay.run({ keys, answers: answers.map(({ body }) => renamed(body, { from, to: keys })) });
  const told = new Set(effects.flatMap(({ decides }) => decides));
  return otherSources('key', keys, { run }).flatMap(({ name, decides }) => {
    const own = decides.filter((path) => !told.has(path));
    return own.length === 0 ? [] : [{ name, decides: own }];
  });
}

interface Ready {
  readonly replay: Replay;
  readonly context: AnyContext;
  readonly isKey: IsKey;
}

/** List elements are asked for with their lists. */
const isIn =
  (asked: ReadonlySet<string>) =>
  (path: string): boolean =>
    asked.has(path) || path.endsWith('[]');

function otherSources(
  name: string,
  document: unknown,
  options: Pick<ProbeOptions, 'run' | 'isAsked'>,
): readonly OtherSource[] {
  return probe({ parts: [{ name, document }], ...options, mixes: false })
    .filter(({ decides }) => decides.length > 0)
    .map(({ path, decides }) => ({ name: path.replace(/^\[\]\.?/, ''), decides }));
}

/** Ids that were asked for may be names in the answer. */
function keysOf({ keys }: Exchange): IsKey {
  const names = new Set(keys.flatMap((key) => (isObject(key) ? Object.values(key) : [key])).map(String));
  return (name) => names.has(name);
}

/** What is read of the answers. @throws {Error} when the example does not show all of it, or an option is not set */
function readsIn({ example }: MappedPort, { replay, context, isKey }: Ready): { answers: Reads; settings: Reads } {
  const documents = replay.parts.map(({ document }) => document);
  const answers = readsOf(documents, (copies) => replay.run({ answers: copies }), isKey);
  const never = new Set(example.never);
  const untold = answers.missing.filter((path) => !never.has(path));
  if (untold.length > 0) throw new Error(`the connector reads fields the example does not show: ${untold.join(', ')}`);
  const wrong = example.never.filter((path) => !answers.missing.includes(path));
  if (wrong.length > 0) throw new Error(`"never" names fields that are shown, or not read: ${wrong.join(', ')}`);
  const settings = readsOf([context.settings], ([copy]) => replay.run({ context: { ...context, settings: copy } }));
  if (settings.missing.length > 0) {
    throw new Error(`options that decide something are not set: ${settings.missing.join(', ')}`);
  }
  return { answers, settings };
}
