import type { Evidence } from '#test/support/evidence.ts';
import { abort } from './abort.ts';
import { differentialInProcess, differentialRemote } from './differential.ts';
import { faults } from './faults.ts';
import { hostileDocuments } from './hostile-documents.ts';
import { httpAudit } from './http-audit.ts';
import { split } from './split.ts';
import { swap } from './swap.ts';

/** Proof `executor`: plans, sources and the door of the graph. */
export const executorRows: readonly Evidence[] = [
  differentialInProcess,
  differentialRemote,
  faults,
  abort,
  httpAudit,
  hostileDocuments,
  swap,
  split,
];
