import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { SandboxError } from '#sandbox/sandbox-error.ts';

/** A row of a data file by column name, with the line it stands on (1 = the header). */
export interface CsvRow {
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * The rows of a CSV file (`.gz`: unpacked), one line a row, in file order. Fields may be quoted; empty lines are left out.
 * @throws {SandboxError} naming file and line when it cannot be read, lacks a column or a row has another number of fields
 */
export async function* readCsv(file: string, columns: readonly string[]): AsyncGenerator<CsvRow> {
  let line = 0;
  let header: readonly string[] | null = null;
  try {
    for await (const text of linesOf(file)) {
      line += 1;
      if (text.trim() === '') continue;
      const fields = splitLine(text);
      if (header === null) {
        header = fields;
        const missing = columns.filter((column) => !fields.includes(column));
        if (missing.length > 0)
          throw new SandboxError(
            `${file}:1: the column ${missing.join(', ')} is missing; expected ${columns.join(',')}`,
          );
        continue;
      }
      if (fields.length !== header.length) {
        throw new SandboxError(`${file}:${line}: ${fields.length} fields, expected ${header.length}`);
      }
      yield { line, values: Object.fromEntries(header.map((column, index) => [column, fields[index] ?? ''])) };
    }
  } catch (error) {
    if (error instanceof SandboxError) throw error;
    const reason = error instanceof Error ? error.message : 'unknown cause';
    throw new SandboxError(`cannot read the data file ${file} (line ${line + 1}): ${reason}`, error);
  }
  if (header === null) throw new SandboxError(`${file}:1: the file is empty; expected ${columns.join(',')}`);
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const packed = file.endsWith('.gz');
  const stream = packed ? source.pipe(createGunzip()) : source;
  // A pipe does not carry errors forward: an unreadable file would otherwise end as an endless wait.
  if (packed) source.once('error', (error) => stream.destroy(error));
  const lines = createInterface({ input: stream, crlfDelay: Infinity });
  let failure: Error | null = null;
  stream.once('error', (error: Error) => {
    failure = error;
    lines.close();
  });
  for await (const line of lines) yield line;
  if (failure !== null) throw failure as Error;
}

function splitLine(text: string): readonly string[] {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const letter = text.charAt(index);
    if (letter === '"' && quoted && text.charAt(index + 1) === '"') {
      field += '"';
      index += 1;
    } else if (letter === '"') quoted = !quoted;
    else if (letter === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += letter;
  }
  return [...fields, field];
}
