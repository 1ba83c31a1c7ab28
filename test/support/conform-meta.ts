// What the suite tells the proof `conform` of a case, beside its outcome.
import 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Wrong answers the case gave to the connector. */
    wrongAnswers?: number;
  }
}
