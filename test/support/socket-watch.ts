import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { descendantsOf } from './process-tree.ts';
import type { Product, ProductOptions } from './product-client.ts';

/** Something a process of the product did with the network. */
export interface SocketUse {
  /** `hook`: inside Node; `strace`: every system call; `proc`: the kernel's tables, polled. */
  readonly by: 'hook' | 'strace' | 'proc';
  readonly act: 'connect' | 'bind' | 'resolve';
  /** An address, the path of a local socket, or the name looked up. */
  readonly host: string;
  readonly port: number;
}

export interface SocketWatch extends Disposable {
  /** What the product must be started with to be watched from its first instruction. */
  readonly options: Required<Pick<ProductOptions, 'nodeArguments' | 'wrapper' | 'environment'>>;
  /** Begins to read the kernel's tables of the process and all its children; does nothing without /proc. */
  readonly follow: (pid: number) => void;
  /** Each once. */
  readonly seen: () => readonly SocketUse[];
}

const HOOK = fileURLToPath(new URL('socket-hook.ts', import.meta.url));
const STRACE = [
  'strace',
  '-D',
  '-f',
  '--seccomp-bpf',
  '-qq',
  '-s0',
  '-esignal=none',
  '-etrace=connect,bind,sendto,sendmsg,sendmmsg',
];
const POLL_MS = 10;

/** Of other programs of the same people: what reads them would report schema and usage to a vendor. */
export const TEMPTATION = {
  APOLLO_KEY: 'service:mortar-test:abcdefghijklmnopqrstuv',
  APOLLO_GRAPH_REF: 'mortar-test@current',
  APOLLO_SCHEMA_REPORTING: 'true',
  APOLLO_TELEMETRY_DISABLED: undefined,
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://telemetry.invalid:4318',
};

/** Whether strace is installed and may trace here. */
export const hasStrace: boolean = mayTrace();
export const hasProc: boolean = existsSync('/proc/self/net/tcp');

/** Watches a product from its start to its end: inside Node, by strace where it is allowed, and in /proc. */
export function watchSockets(): SocketWatch {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-sockets-'));
  const [hooked, traced] = [join(folder, 'hook.log'), join(folder, 'strace.log')];
  const polled = new Map<string, SocketUse>();
  let timer: NodeJS.Timeout | undefined;
  const poll = (pid: number): void => {
    for (const process of [pid, ...descendantsOf(pid)])
      for (const use of socketsOf(process)) polled.set(JSON.stringify(use), use);
  };
  return {
    options: {
      nodeArguments: ['--import', HOOK],
      wrapper: hasStrace ? [...STRACE, '-o', traced] : [],
      environment: { SOCKET_LOG: hooked },
    },
    follow: (pid) => {
      if (hasProc) timer = setInterval(() => poll(pid), POLL_MS);
    },
    seen: () => {
      const uses = [...linesOf(hooked).flatMap(readHookLine), ...linesOf(traced).flatMap(readStraceLine)];
      return [...new Map([...uses.map((use) => [JSON.stringify(use), use] as const), ...polled]).values()];
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Sockets that are none of ours: another host, a port the product did not print, a name looked up, a local socket. */
export function strangers(
  uses: readonly SocketUse[],
  urls: Product['urls'],
  services: readonly string[] = [],
): readonly SocketUse[] {
  const addresses = [...Object.values(urls.systems), ...services].concat(
    urls.graph,
    urls.metrics,
    urls.issuer,
    urls.control,
  );
  const ports = new Set(addresses.filter((text) => text !== '').map((text) => Number(new URL(text).port)));
  return uses.filter(({ act, host, port }) => {
    const local = host === '::1' || host === '::ffff:127.0.0.1' || host === '127.0.0.1';
    return !local || (act !== 'bind' && !ports.has(port));
  });
}

function mayTrace(): boolean {
  try {
    execFileSync('strace', [...STRACE.slice(1), '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function linesOf(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

function readHookLine(line: string): readonly SocketUse[] {
  const [, act, host = '', port] = /^(connect|resolve) (.*) (\d+)$/.exec(line) ?? [];
  return act === 'connect' || act === 'resolve' ? [{ by: 'hook', act, host, port: Number(port) }] : [];
}

/** A call that names an address: `connect(23, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("..."...`. */
function readStraceLine(line: string): readonly SocketUse[] {
  const [, call, family] = /(connect|bind|sendto|sendmsg|sendmmsg)\(.*?sa_family=(AF_\w+)/.exec(line) ?? [];
  // Netlink asks the kernel about its own interfaces and reaches nobody.
  if (call === undefined || family === undefined || family === 'AF_NETLINK') return [];
  const act = call === 'bind' ? 'bind' : 'connect';
  const host = /inet_addr\("([^"]+)"|inet_pton\(AF_INET6, "([^"]+)"|sun_path=@?"([^"]*)"/.exec(line);
  const port = Number(/htons\((\d+)\)/.exec(line)?.[1] ?? 0);
  return [{ by: 'strace', act, host: host?.[1] ?? host?.[2] ?? host?.[3] ?? family, port }];
}

/** What one process listens on and is connected to, from the kernel's tables; empty when it is gone. */
function socketsOf(pid: number): readonly SocketUse[] {
  try {
    const inodes = new Set(
      readdirSync(`/proc/${pid}/fd`).flatMap((name) => /^socket:\[(\d+)\]$/.exec(linkOf(pid, name))?.[1] ?? []),
    );
    const entries = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6']
      .flatMap((table) => linesOf(`/proc/${pid}/net/${table}`))
      .flatMap((line) => readTableLine(line))
      .filter(({ inode }) => inodes.has(inode));
    const listening = entries.filter(({ remote }) => remote.port === 0);
    const own = new Set(listening.map(({ local }) => local.port));
    // What comes from one of our own ports was accepted there: callers use any port.
    const opened = entries.filter(({ local, remote }) => remote.port !== 0 && !own.has(local.port));
    return [
      ...listening.map(({ local }): SocketUse => ({ by: 'proc', act: 'bind', ...local })),
      ...opened.map(({ remote }): SocketUse => ({ by: 'proc', act: 'connect', ...remote })),
    ];
  } catch {
    return [];
  }
}

function linkOf(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${name}`);
  } catch {
    return '';
  }
}

type Address = Pick<SocketUse, 'host' | 'port'>;

function readTableLine(
  line: string,
): readonly { readonly local: Address; readonly remote: Address; readonly inode: string }[] {
  const [, local = '', remote = '', , , , , , , inode = ''] = line.trim().split(/\s+/);
  return remote.includes(':') ? [{ local: readAddress(local), remote: readAddress(remote), inode }] : [];
}

/** The kernel writes each 32-bit word of an address in its own byte order. */
function readAddress(text: string): Address {
  const [hex = '', port = '0'] = text.split(':');
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  const groups = bytes.map((byte) => Number.parseInt(byte, 16));
  const host =
    groups.length === 4
      ? groups.join('.')
      : new URL(`http://[${(bytes.join('').match(/.{4}/g) ?? []).join(':')}]`).hostname.slice(1, -1);
  return { host: isIP(host) === 0 ? hex : host.replace('::ffff:7f00:1', '127.0.0.1'), port: Number.parseInt(port, 16) };
}
