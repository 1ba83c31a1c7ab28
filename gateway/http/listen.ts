import type { Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

import { MortarError } from '#platform/errors.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** For messages: the flag that chooses another port. */
  readonly flag: string;
}

/** Listens and answers the URL, with the port that was really taken. @throws {MortarError} CONFIGURATION_INVALID when the port cannot be had */
export async function listen(server: FastifyInstance | Server, { host, port, flag }: ListenOptions): Promise<string> {
  try {
    if ('inject' in server) await server.listen({ host, port });
    else await listenPlain(server, host, port);
  } catch (error) {
    throw explain(error, { host, port, flag });
  }
  const bare: Server = 'inject' in server ? server.server : server;
  // A listening TCP server has an address with a port.
  const address = bare.address() as AddressInfo;
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${address.port}`;
}

function listenPlain(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function explain(error: unknown, { host, port, flag }: ListenOptions): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const unknownHost = `the address ${host} is not one of this machine; choose another with --host`;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use; stop what listens there, or choose another with ${flag}`,
    EACCES: `port ${port} may not be used by this user; choose one above 1023 with ${flag}`,
    ERR_SOCKET_BAD_PORT: `there is no port ${port}; choose one with ${flag}`,
    ENOTFOUND: unknownHost,
    EAI_AGAIN: unknownHost,
    EADDRNOTAVAIL: unknownHost,
  };
  const message = typeof code === 'string' ? reasons[code] : undefined;
  return message === undefined ? error : new MortarError('CONFIGURATION_INVALID', { message, cause: error });
}
