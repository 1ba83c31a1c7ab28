import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';

import type { LimitsConfig } from '#gateway/config-schema.ts';
import { requestError } from '#gateway/http/request-error.ts';

/** Response keys that meet objects' own machinery in clients or in ours (`__deny_`, `__typename`). */
const FORBIDDEN_ALIAS = /^(__.*|constructor|prototype)$/;

/** Of the whole text, comments included; long values belong into variables. */
const CHARACTERS_PER_TOKEN = 50;

/** Where graphql begins a new line, in comments and block strings too. */
const LINE_END = /\r\n|[\n\r]/g;

type LexicalLimits = Pick<LimitsConfig, 'tokens' | 'depth' | 'aliases' | 'directives'>;

/**
 * Refuses a document by its tokens alone, before anything that costs more than reading it: parsing recurses, and
 * validation is quadratic in the number of fields. Lines are limited to as many as tokens: graphql counts all lines before
 * each error, and 110 errors after 98,000 lines take a second. Linear, a few microseconds for a usual document. A document
 * that is not GraphQL passes: the parser says so better.
 * @throws {GraphQLError} LIMIT_COST, LIMIT_DEPTH or LIMIT_ALIASES (whole request)
 */
export function assertLexicalLimits(text: string, limits: LexicalLimits): void {
  const characters = limits.tokens * CHARACTERS_PER_TOKEN;
  refuseIf(
    text.length > characters,
    'LIMIT_COST',
    `The document has more than ${characters} characters; send long values as variables.`,
  );
  refuseIf(
    hasMoreLineEnds(text, limits.tokens),
    'LIMIT_COST',
    `The document has more than ${limits.tokens} line ends.`,
  );
  const lexer = new Lexer(new Source(text));
  let tokens = 0;
  let braces = 0;
  let parentheses = 0;
  let aliases = 0;
  let directives = 0;
  /** The lexer leaves comments out of what it hands on; a token's own `prev` may be one. */
  let previous = '';
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      tokens += 1;
      if (token.kind === TokenKind.BRACE_L && parentheses === 0) braces += 1;
      if (token.kind === TokenKind.BRACE_R && parentheses === 0) braces -= 1;
      if (token.kind === TokenKind.PAREN_L) parentheses += 1;
      if (token.kind === TokenKind.PAREN_R) parentheses -= 1;
      if (token.kind === TokenKind.AT) directives += 1;
      // Arguments and variables have their colons inside parentheses; outside a colon makes an alias.
      if (token.kind === TokenKind.COLON && parentheses === 0) {
        aliases += 1;
        refuseAlias(previous);
      }
      previous = token.value ?? '';
      refuseIf(tokens > limits.tokens, 'LIMIT_COST', `The document has more than ${limits.tokens} tokens.`);
      refuseIf(
        braces > limits.depth + 1,
        'LIMIT_DEPTH',
        `The document is nested more than ${limits.depth} levels deep.`,
      );
    }
  } catch (error) {
    if (error instanceof GraphQLError && error.extensions['code'] !== undefined) throw error;
    return;
  }
  refuseIf(
    aliases > limits.aliases,
    'LIMIT_ALIASES',
    `The document has ${aliases} aliases; at most ${limits.aliases}.`,
  );
  refuseIf(
    directives > limits.directives,
    'LIMIT_COST',
    `The document has ${directives} directives; at most ${limits.directives}.`,
  );
}

function hasMoreLineEnds(text: string, most: number): boolean {
  const lineEnds = text.matchAll(LINE_END);
  for (let count = 0; count <= most; count += 1) if (lineEnds.next().done === true) return false;
  return true;
}

function refuseAlias(alias: string): void {
  refuseIf(FORBIDDEN_ALIAS.test(alias), 'LIMIT_ALIASES', `The alias "${alias.slice(0, 40)}" is not allowed.`);
}

function refuseIf(broken: boolean, code: 'LIMIT_COST' | 'LIMIT_DEPTH' | 'LIMIT_ALIASES', message: string): void {
  if (broken) throw requestError(code, message);
}
