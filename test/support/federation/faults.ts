import { gzipSync } from 'node:zlib';

import { OWN_MESSAGE } from '#gateway/executor/answer-errors.ts';
import { sendJson, type SubgraphCall } from './http-subgraph.ts';

/** Somebody's address and a secret, in every faulty answer that has room for them: nobody may ever see them. */
export const LEAK = 'person@example.org secret-7f3a';

/** One way a subgraph goes wrong when it is asked for entities. */
export interface Fault {
  readonly name: string;
  readonly answer: (call: SubgraphCall, rows: readonly unknown[]) => void;
  /** What the client may be told. @default SUBGRAPH_UNAVAILABLE */
  readonly codes?: readonly string[];
  /** It is about a list of entities; other fetches have no such. */
  readonly ofEntities?: boolean;
  /** Ends only with the fetch's own time. */
  readonly late?: boolean;
}

const head = (length: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const entities = (rows: unknown): unknown => ({ data: { _entities: rows } });
const status = (code: number, body: unknown = { errors: [{ message: LEAK }] }): Fault['answer'] => {
  return (call) => sendJson(call, body, code);
};
const raw =
  (body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Fault['answer'] =>
  ({ response }) =>
    void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);

/** The right answer, with a filler between these two. */
const around = (rows: readonly unknown[]): readonly [Buffer, Buffer] => [
  Buffer.from(`{"data":{"_entities":${JSON.stringify(rows)}},"extensions":{"filler":"`),
  Buffer.from('"}}'),
];
const FILLER = Buffer.alloc(30_000_000, 32);
/** 40 MB in 180 kB. A text of gzip may have several parts. */
const BOMB = gzipSync(Buffer.alloc(40_000_000, 32), { level: 1 });

/** Faults of an answer to `_entities`; a subgraph that refuses connections is made by closing it. */
export const FAULTS: readonly Fault[] = [
  { name: 'reset before headers', answer: ({ socket }) => void socket.resetAndDestroy() },
  {
    name: 'reset after headers',
    answer: ({ socket }) => void socket.write(head('100'), () => socket.resetAndDestroy()),
  },
  { name: 'half a body', answer: ({ socket }) => void socket.end(`${head('100')}{"data":{"_entities":[`) },
  { name: 'HTML with status 200', answer: raw(`<html>${LEAK}</html>`, { 'content-type': 'text/html' }) },
  { name: 'HTML that says it is JSON', answer: raw(`<html>${LEAK}</html>`) },
  { name: 'broken JSON', answer: raw(`{"data": {"_entities": [{"secret": "${LEAK}",`) },
  { name: 'status 400', answer: status(400) },
  { name: 'status 401', answer: status(401, { errors: [{ message: LEAK, extensions: { code: 'UNAUTHENTICATED' } }] }) },
  { name: 'status 403', answer: status(403) },
  { name: 'status 429', answer: status(429) },
  { name: 'status 500', answer: status(500) },
  { name: 'status 503', answer: status(503) },
  {
    name: 'a redirect',
    answer: ({ response }) => void response.writeHead(307, { location: `http://127.0.0.1:1/${LEAK.length}` }).end(),
  },
  { name: 'no answer at all', answer: () => undefined, late: true, codes: ['DEADLINE_EXCEEDED'] },
  {
    name: 'a byte now and then',
    answer: ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
    },
    late: true,
    codes: ['DEADLINE_EXCEEDED'],
  },
  {
    name: '30 MB',
    answer: ({ response }, rows) => {
      response.on('error', () => undefined);
      const [before, after] = around(rows);
      response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.concat([before, FILLER, after]));
    },
  },
  { name: '30 MB, of which it says so and sends none', answer: ({ socket }) => void socket.write(head('30000000')) },
  {
    name: 'a bomb of 40 MB in gzip',
    answer: (call, rows) => {
      call.response.on('error', () => undefined);
      const [before, after] = around(rows);
      const body = Buffer.concat([gzipSync(before), BOMB, gzipSync(after)]);
      raw(body, { 'content-encoding': 'gzip' })(call, rows);
    },
  },
  {
    name: 'a million values beside',
    answer: (call, rows) => sendJson(call, { data: { _entities: rows }, extensions: { a: Array(1_000_001).fill(1) } }),
  },
  { name: 'gzip that is none', answer: raw('{"data":{}}', { 'content-encoding': 'gzip' }) },
  { name: 'too few entities', ofEntities: true, answer: (call, rows) => sendJson(call, entities(rows.slice(1))) },
  { name: 'too many entities', ofEntities: true, answer: (call, rows) => sendJson(call, entities([...rows, ...rows])) },
  {
    name: 'entities that are no objects',
    ofEntities: true,
    answer: (call, rows) => sendJson(call, entities(rows.map(() => LEAK))),
  },
  { name: 'entities that are no list', ofEntities: true, answer: (call) => sendJson(call, entities({ secret: LEAK })) },
  { name: 'data that is a text', answer: (call) => sendJson(call, { data: LEAK }) },
  { name: 'errors that are no list', answer: (call) => sendJson(call, { data: null, errors: LEAK }) },
  { name: 'null data without errors', answer: (call) => sendJson(call, { data: null }) },
  { name: 'neither data nor errors', answer: (call) => sendJson(call, { secret: LEAK }) },
  {
    name: 'an error of the whole answer',
    answer: (call) => sendJson(call, { errors: [{ message: LEAK, extensions: { secret: LEAK, response: LEAK } }] }),
    codes: ['INTERNAL_SERVER_ERROR'],
  },
  ...[...OWN_MESSAGE].map((code): Fault => ({
    name: `an error coded ${code}`,
    answer: (call) => {
      const facts = { system: LEAK, scopes: [LEAK], argument: LEAK, limit: LEAK, requestId: LEAK, retryAfterMs: LEAK };
      sendJson(call, { data: null, errors: [{ message: LEAK, extensions: { code, ...facts } }] });
    },
    codes: [code === 'BAD_USER_INPUT' ? code : 'INTERNAL_SERVER_ERROR'],
  })),
  {
    ofEntities: true,
    name: 'keys named __proto__',
    answer: raw(`{"__proto__":{"data":{}},"data":{"__proto__":{"_entities":[]},"constructor":{"_entities":1}}}`),
  },
];
