import type { Evidence } from '#test/support/evidence.ts';
import { amazonPairs } from './amazon-pairs.ts';
import { amplification } from './amplification.ts';
import { conform } from './conform.ts';
import { contract } from './contract.ts';
import { feeds } from './feeds.ts';
import { kitMemory } from './kit-memory.ts';
import { limits } from './limits.ts';
import { officialClients } from './official-clients.ts';
import { recovery } from './recovery.ts';
import { tryton } from './tryton.ts';

/** Proof `connectors`: the kit and its connectors against vendors on their bad days. */
export const connectorRows: readonly Evidence[] = [
  contract,
  officialClients,
  amazonPairs,
  limits,
  amplification,
  feeds,
  conform,
  recovery,
  kitMemory,
  tryton,
];
