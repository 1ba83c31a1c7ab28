// What knows a vendor better than we do: it judges requests and answers by something that is not ours.

/** What a judgement needs to know of a request: a fetch `Request` fits, and so does a plain object. */
export interface CheckedRequest {
  readonly method: string;
  /** Absolute, or a path with its query. */
  readonly url: string;
  readonly headers?: Headers | Readonly<Record<string, string>>;
}

/** A vendor's contract, whoever tells it: an OpenAPI document, an OData one, the vendor's own client. */
export interface Oracle {
  readonly name: string;
  /** The vendor's name of the operation, with placeholders for ids; null: it knows none such. */
  readonly operationOf: (request: CheckedRequest, body?: string) => string | null;
  /** What is wrong with a request; empty: nothing. An unknown operation is wrong. */
  readonly checkRequest: (request: CheckedRequest, body?: string) => Findings | Promise<Findings>;
  /** What is wrong with an answer; `body` decoded, undefined: none. */
  readonly checkResponse: (request: CheckedRequest, status: number, body: unknown) => Findings;
}

type Findings = readonly string[];
