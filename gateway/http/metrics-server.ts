import { createServer, type Server } from 'node:http';

import type { Metrics } from '#platform/metrics.ts';

/** A server of its own for Prometheus, so that /metrics is never reachable where callers are. Not listening yet. */
export function createMetricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path !== '/metrics' || request.method !== 'GET') {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errors":[{"message":"Only GET /metrics is here."}]}');
      return;
    }
    metrics.render().then(
      ({ contentType, text }) => response.writeHead(200, { 'content-type': contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
}
