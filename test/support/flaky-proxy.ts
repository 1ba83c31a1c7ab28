import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** A TCP proxy before one system, which can be killed and frozen as a host can. */
export interface FlakyProxy extends AsyncDisposable {
  readonly port: number;
  /** Where connections go from now on. */
  readonly forwardTo: (url: URL) => void;
  /** Cuts every connection and refuses new ones. */
  readonly kill: () => Promise<void>;
  /** Keeps every connection and accepts new ones, but moves no byte. */
  readonly freeze: () => void;
  /** Ends what `kill` or `freeze` began; connections that were frozen go on where they stopped. */
  readonly restore: () => Promise<void>;
}

/** Starts the proxy on a free loopback port; forwards nothing until it is told where to. */
export async function startFlakyProxy(): Promise<FlakyProxy> {
  const sockets = new Set<Socket>();
  let target: URL | null = null;
  let frozen = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    if (frozen) socket.pause();
    // A cut connection is what this is for.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const accept = (near: Socket): void => {
    if (target === null) return void near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      keep(from);
      from.on('data', (chunk) => void to.write(chunk));
      from.on('close', () => to.destroy());
    }
  };
  const listen = async (port: number): Promise<Server> => {
    const server = createServer(accept);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return server;
  };
  const end = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    forwardTo: (url) => {
      target = url;
    },
    kill: end,
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    restore: async () => {
      frozen = false;
      for (const socket of sockets) socket.resume();
      if (!server.listening) server = await listen(port);
    },
    [Symbol.asyncDispose]: end,
  };
}
