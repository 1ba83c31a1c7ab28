import { createHook } from 'node:async_hooks';
import { appendFileSync } from 'node:fs';

/**
 * Preloaded into a process (`--import`), writes a line for each connection, name look-up and UDP socket it begins, however
 * short: Node makes a native object for each, whatever library asked for it. Workers and forked children load it too.
 */
const file = process.env['SOCKET_LOG'] ?? '';

interface NativeRequest {
  readonly address?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
}

createHook({
  init(_id, type, _trigger, resource: NativeRequest) {
    const line = lineOf(type, resource);
    if (line !== null) appendFileSync(file, `${line}\n`);
  },
}).enable();

function lineOf(type: string, { address, port, hostname }: NativeRequest): string | null {
  switch (type) {
    case 'TCPCONNECTWRAP':
      return `connect ${String(address)} ${String(port)}`;
    case 'PIPECONNECTWRAP':
      return `connect ${String(address)} 0`;
    case 'GETADDRINFOREQWRAP':
    case 'QUERYWRAP':
      return `resolve ${String(hostname)} 0`;
    case 'UDPWRAP':
      return 'connect udp 0';
    default:
      return null;
  }
}
