/** One operation of a vendor: `path` is a template such as `/v2/customers/{id}`. */
export interface Route<Call> {
  readonly method: string;
  readonly path: string;
  readonly handle: (call: Call, parameters: Readonly<Record<string, string>>) => Response | Promise<Response>;
}

/** A route found for a request, with its path parameters decoded. */
export interface RouteMatch<Call> {
  readonly route: Route<Call>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The first route of `method` whose template fits `pathname`; null: none. A literal segment must be listed before a parameter. */
export function matchRoute<Call>(
  routes: readonly Route<Call>[],
  method: string,
  pathname: string,
): RouteMatch<Call> | null {
  const segments = pathname.split('/');
  for (const route of routes) {
    const parameters = route.method === method ? fit(route.path.split('/'), segments) : null;
    if (parameters !== null) return { route, parameters };
  }
  return null;
}

/** `METHOD /path-template` of a request; an unknown path answers `METHOD /unknown`, so that ids never become names. */
export function operationName<Call>(routes: readonly Route<Call>[], request: Request): string {
  const found = matchRoute(routes, request.method, new URL(request.url).pathname);
  return `${request.method} ${found?.route.path ?? '/unknown'}`;
}

function fit(template: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (template.length !== segments.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    const segment = segments[index] as string;
    if (part.startsWith('{')) parameters[part.slice(1, -1)] = decode(segment);
    else if (part !== segment) return null;
  }
  return parameters;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
