import { MAX_LINE_LENGTH } from './import-line.ts';

/**
 * The lines of a text stream (UTF-8), ends removed. Memory stays bounded: of a line without end only a little more than
 * the longest acceptable line is kept, which the importer then refuses.
 * @example importConsents({ lines: () => linesOf(createReadStream(file)), ... })
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const parts = text.split('\n');
    const [first = '', ...others] = parts;
    rest = append(rest, first);
    for (const part of others) {
      yield rest.replace(/\r$/, '');
      rest = append('', part);
    }
  }
  rest = append(rest, decoder.decode());
  if (rest !== '') yield rest.replace(/\r$/, '');
}

function append(rest: string, text: string): string {
  return rest.length > MAX_LINE_LENGTH ? rest : (rest + text).slice(0, MAX_LINE_LENGTH + 1);
}
