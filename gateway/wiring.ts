import type { CreateGraph, ImportConsentFile } from './graph.ts';
import { MortarError } from '#platform/errors.ts';

/** Binds connectors to ports and domains to subgraphs: the only file that knows them all. */
export const createGraph: CreateGraph = () =>
  Promise.reject(new MortarError('CONFIGURATION_INVALID', { message: 'no domain is wired yet (gateway/wiring.ts)' }));

export const importConsentFile: ImportConsentFile = () =>
  Promise.reject(new MortarError('CONFIGURATION_INVALID', { message: 'no domain is wired yet (gateway/wiring.ts)' }));
