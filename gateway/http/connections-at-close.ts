import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Ends connections when the app closes: at once those that carried no request yet, which clients open ahead (browsers,
 * undici after an aborted request) and Node takes for busy until their headers are overdue; each other one with its
 * answer, which Node would keep open for the client's next request until the keep-alive time of 72 seconds is over.
 */
export function endConnectionsAtClose(app: FastifyInstance): void {
  const unused = new Set<Socket>();
  const running = new Set<ServerResponse>();
  let closing = false;
  app.server.on('connection', (socket: Socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    unused.delete(socket);
    running.add(response);
    response.once('close', () => running.delete(response));
  });
  app.addHook('preClose', async () => {
    closing = true;
    for (const socket of unused) socket.destroy();
    for (const response of running) endWithAnswer(response);
    await Promise.resolve();
  });
}

/** Node ends a connection that says so in the answer's headers; a stream sent its headers long ago. */
function endWithAnswer(response: ServerResponse): void {
  const { socket } = response;
  if (response.headersSent) response.once('finish', () => socket?.destroySoon());
  else response.setHeader('connection', 'close');
}
