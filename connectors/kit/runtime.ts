import type { Lane } from '#schema/model/figures.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { OperationClass } from '#schema/model/sources.ts';

import type { Caller } from './caller.ts';
import type { Context } from './definition.ts';
import type { Origin } from './draft.ts';

/** Takes facts and a message, as pino does. Facts never carry personal data, secrets or upstream bodies. */
export interface KitLogger {
  readonly debug: (facts: object, message: string) => void;
  readonly info: (facts: object, message: string) => void;
  readonly warn: (facts: object, message: string) => void;
  readonly error: (facts: object, message: string) => void;
}

/** A vendor's answer that is not as promised. `shape`: all of it; `row`: some of its rows; `word`: a word of a closed list nobody knows; `clock`: an instant to come. */
export interface Drift {
  readonly system: string;
  readonly operation: string;
  readonly kind: 'shape' | 'row' | 'word' | 'clock';
}

/** What the kit's parts share about one connected system. */
export interface Runtime<S> {
  readonly system: SystemId;
  readonly connector: string;
  /** Milliseconds one call may take; `ownMs` is what its definition says. */
  readonly timeoutOf: (operationClass: OperationClass, ownMs?: number) => number;
  /** Null: each feed at its own pace. */
  readonly feedIntervalMs: number | null;
  readonly logger: KitLogger;
  readonly nowMs: () => number;
  readonly context: () => Context<S>;
  readonly origin: (lane: Lane, freshnessMs: number | null) => Origin;
  /** An answer arrived in a shape that cannot be read: counts against the system's health. */
  readonly unreadable: (operationClass: OperationClass) => void;
  /** Counted, never a failure. */
  readonly drifted: (operation: string, kind: Drift['kind']) => void;
  readonly call: Caller;
}
