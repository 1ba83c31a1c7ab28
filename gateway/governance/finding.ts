import type { SdlIndex } from './sdl-index.ts';

/** One broken rule of governance, at one place. */
export interface Finding {
  readonly rule: string;
  /** `Type` or `Type.field`. */
  readonly coordinate: string;
  /** Null: the supergraph as a whole. */
  readonly subgraph: string | null;
  readonly message: string;
}

/** What a rule looks at. */
export interface Governed {
  readonly index: SdlIndex;
  readonly supergraphSdl: string;
}

/** A rule of governance: finds its violations, in the order of declaration. */
export type Rule = (governed: Governed) => readonly Finding[];
