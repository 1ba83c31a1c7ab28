/** The sandbox cannot start or go on: the message says what was tried, what came back and what to do next. */
export class SandboxError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SandboxError';
  }
}
