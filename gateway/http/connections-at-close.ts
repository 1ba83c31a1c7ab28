import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** What a connection carries: the last of its requests, for a client may send some ahead. */
interface Carried {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A request that is half here when the app closes has as long to arrive; Node stops its own clocks then. */
const ARRIVAL_MS = 2_000;

/**
 * Ends connections when the app closes: at once those that carry no request, which clients open ahead (browsers, undici
 * after an aborted request) and Node takes for busy; each other one with its last answer, after which Node would keep it
 * open for the client's next request until the keep-alive time of 72 seconds is over. A request that does not arrive is
 * given up.
 */
export function endConnectionsAtClose(app: FastifyInstance): void {
  const open = new Map<Socket, Carried | null>();
  let closing = false;
  let givingUp: NodeJS.Timeout | undefined;
  app.server.on('connection', (socket: Socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    open.set(socket, null);
    socket.once('close', () => open.delete(socket));
  });
  app.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    open.set(socket, { request, response });
    response.once('close', () => {
      if (open.get(socket)?.response !== response) return;
      open.set(socket, null);
      if (closing) socket.destroySoon();
    });
  });
  app.addHook('preClose', async () => {
    closing = true;
    for (const [socket, carried] of open) {
      if (carried === null) socket.destroy();
      // So that the client sends no other one.
      else if (!carried.response.headersSent) carried.response.setHeader('connection', 'close');
    }
    givingUp = setTimeout(() => {
      for (const [socket, carried] of open) if (carried?.request.complete !== true) socket.destroy();
    }, ARRIVAL_MS);
    await Promise.resolve();
  });
  app.addHook('onClose', async () => {
    clearTimeout(givingUp);
    await Promise.resolve();
  });
}
