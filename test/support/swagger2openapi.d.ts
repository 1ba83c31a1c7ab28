declare module 'swagger2openapi' {
  /** Converts a Swagger 2.0 document to OpenAPI 3.0; the answer's `openapi` is the converted document. */
  export function convertObj(
    document: object,
    options: { readonly patch?: boolean; readonly warnOnly?: boolean },
  ): Promise<{ readonly openapi: object }>;
}
