import type { ApolloServerOptions, BaseContext } from '@apollo/server';
import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/** Where Apollo Server keeps validated documents by the hash of their text. */
export type DocumentStore = NonNullable<ApolloServerOptions<BaseContext>['documentStore']>;

/** Measured with graphql 16: the token, its place in the chain of tokens, and its share of the syntax tree. */
const TOKEN_BYTES = 300;
const STORE_BYTES = 24 * 2 ** 20;

/** Of a text: one or two bytes a character, as V8 keeps it. */
function textBytes(text: string): number {
  return text.length * (/[\u0100-\uffff]/.test(text) ? 2 : 1);
}

/**
 * What a parsed document keeps in memory, in bytes, about: its locations hold on to every token and to the whole text,
 * comments included, which its own JSON (the measure of Apollo's store) does not show. Without locations it takes less
 * than half of this, the text apart.
 */
export function documentBytes({ loc, tokenCount }: DocumentNode): number {
  if (loc === undefined) return (tokenCount ?? 1) * TOKEN_BYTES;
  let tokens = 1;
  for (let token = loc.startToken; token.next !== null; token = token.next) tokens += 1;
  return textBytes(loc.source.body) + tokens * TOKEN_BYTES;
}

/**
 * Validated documents, the least recently used forgotten first. Bounded by the memory they take, so that a caller who
 * sends ever new texts costs no more than this.
 * @param maxBytes default 24 MiB: about 500 documents of 150 tokens
 */
export function createDocumentStore(maxBytes: number = STORE_BYTES): DocumentStore {
  const documents = new LRUCache<string, DocumentNode>({ maxSize: maxBytes, sizeCalculation: documentBytes });
  return {
    get: (key) => Promise.resolve(documents.get(key)),
    set: (key, document) => {
      documents.set(key, document);
      return Promise.resolve();
    },
    delete: (key) => Promise.resolve(documents.delete(key)),
  };
}
