import { pino } from 'pino';

/** Structured log lines; `fields` never hold personal values, secrets or upstream bodies (known keys are redacted anyway). */
export interface Logger {
  readonly debug: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** @default 'info' */
  readonly level?: LogLevel;
  /** Where lines go. @default standard error */
  readonly write?: (line: string) => void;
}

const PERSONAL_KEYS = [
  'authorization',
  'cookie',
  'token',
  'email',
  'phone',
  'name',
  'address',
  'addresses',
  'birthDate',
];
const redactPaths = PERSONAL_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/** A logger that writes one JSON line an event. Errors are written in full under `err` (stack and cause), for operators only. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', write } = options;
  const settings = {
    level,
    base: undefined,
    timestamp: () => `,"at":"${new Date().toISOString()}"`,
    // An error's class name is told as `type`; as `name` it would look like a person's and be redacted.
    serializers: {
      err: (error: Error) => {
        const { name: _name, ...facts } = pino.stdSerializers.err(error);
        return facts;
      },
    },
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...redactPaths, 'headers.authorization', 'req.headers.authorization'], censor: '[redacted]' },
  };
  const logger = write === undefined ? pino(settings, pino.destination(2)) : pino(settings, { write });
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

/** Says nothing: for tests and one-shot commands. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
