#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import type { ServeFlags } from './config.ts';

// Compiled code is kept between starts: saves about a second of every start.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/mortar', import.meta.url)));

const USAGE_ERROR = 2;

function port(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('It is a port: 0 (any free one) to 65535.');
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 3_600) return value;
  throw new InvalidArgumentError('It is a whole number of seconds, 1 to 3600.');
}

function seed(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It is a whole number.');
}

/** Of an option that may be repeated. */
function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function addWorldOptions(command: Command): Command {
  return command
    .option('--home <folder>', 'folder of the process’s own files', '.mortar')
    .option(
      '--sandbox-port <port>',
      'first port of the sandbox’s systems; the issuer takes the one below; 0: any free ports',
      port,
      4310,
    )
    .option('--control-port <port>', 'the sandbox’s control port', port, 4300)
    .addOption(
      new Option('--scale <size>', 'size of the sandbox’s world')
        .choices(['small', 'medium', 'large'])
        .default('small'),
    )
    .option('--seed <number>', 'seed of the sandbox’s world', seed, 1)
    .option('--dataset <file>', 'build the sandbox’s world from real transactions (Online Retail, CSV)')
    .option('--stores <file>', 'build the sandbox’s stores from a real store list (CSV)');
}

/** Options that reach the state and the configuration of a deployment. */
function addServeOptions(command: Command): Command {
  return addWorldOptions(command)
    .option('--config <file>', 'configuration file (default: mortar.config.yaml; without one the sandbox is started)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'main port; 0: any free one', port, 4000)
    .option('--metrics-port <port>', 'Prometheus metrics (default: main port + 1)', port);
}

/** Options for graphs of several processes; see docs/split-mode.md. */
function addRoleOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--role <role>', 'what this process is: all of it, the gateway alone, or one subgraph')
        .choices(['all', 'gateway', 'subgraph'])
        .default('all'),
    )
    .option('--name <subgraph>', 'the subgraph to serve: catalog, inventory, customers, orders or consent')
    .option('--supergraph <file>', 'the supergraph to serve and to follow when it changes (default: our own)')
    .option('--subgraph-url <name=url>', 'where the gateway reaches a subgraph; may be repeated', collect, [])
    .option('--sandbox', 'the configuration is that of a sandbox which runs by itself: development tokens, its world');
}

interface Report {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

function print({ exitCode, lines }: Report): void {
  const stream = exitCode === 0 ? process.stdout : process.stderr;
  stream.write(lines.map((line) => `${line}\n`).join(''));
  process.exitCode = exitCode;
}

function addRunCommands(program: Command): void {
  addRoleOptions(
    addServeOptions(
      program.command('serve').description('serve the graph; without a configuration file over the sandbox'),
    ),
  ).action(async (flags: ServeFlags) => {
    const [{ runServe }, { readEnvironment }] = await Promise.all([
      import('./commands/serve.ts'),
      import('./config.ts'),
    ]);
    const output = {
      isTerminal: process.stdout.isTTY,
      write: (text: string) => void process.stdout.write(text),
    };
    // Everything is closed by now; a connection someone keeps open must not keep the process.
    process.exit(await runServe(flags, readEnvironment(), output));
  });
  addWorldOptions(
    program.command('sandbox').description('run the sandbox retailer alone: five systems, an issuer, a control port'),
  ).action(async (flags: ServeFlags) => {
    const { runSandbox } = await import('./commands/sandbox.ts');
    await runSandbox(flags);
  });
  program
    .command('token')
    .description('print an access token of a development client of the sandbox')
    .argument(
      '<client>',
      'storefront, customer-app, associate, partner-marketplace, analyst, marketer or privacy-officer',
    )
    .option('--customer <id>', 'the person who logged in (cus_...); needed by customer-app')
    .option('--store <id>', 'the store an associate works for (loc_...; default: the first)')
    .option('--url <url>', 'the gateway', 'http://127.0.0.1:4000')
    .action(async (client: string, options: { customer?: string; store?: string; url: string }) => {
      const { runToken } = await import('./commands/token.ts');
      process.stdout.write(`${await runToken({ client, ...options })}\n`);
    });
  program
    .command('trace')
    .description(
      'print what the gateway remembers of a recent request: fetches, calls to systems, decisions, no values',
    )
    .argument('<request-id>', 'extensions.requestId or the x-request-id header of the answer')
    .addOption(
      new Option('--token <token>', 'an access token with the scope systems:read; the variable keeps it out of ps').env(
        'MORTAR_TOKEN',
      ),
    )
    .option('--url <url>', 'the gateway', 'http://127.0.0.1:4000')
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nA token in the sandbox: MORTAR_TOKEN=$(npm run -s mortar -- token privacy-officer)\nRequests are remembered for 15 minutes at most, fewer under load.',
    )
    .action(async (requestId: string, options: { token?: string; url: string; json: boolean }) => {
      const { runTrace } = await import('./commands/trace.ts');
      print(await runTrace({ requestId, token: undefined, ...options }));
    });
  const imports = program.command('import').description('bring past records in');
  addServeOptions(
    imports
      .command('consents')
      .description('import past consent decisions (JSON Lines); run again, it changes nothing'),
  )
    .argument(
      '<file>',
      'one JSON object a line: system, externalId, purpose, medium, recipient, decision, at, evidence',
    )
    .action(async (file: string, flags: ServeFlags) => {
      const [{ runImportConsents }, { readEnvironment }] = await Promise.all([
        import('./commands/import-consents.ts'),
        import('./config.ts'),
      ]);
      const onProgress = (text: string) => void (process.stderr.isTTY && process.stderr.write(`\r${text}`));
      const config = flags.config ?? 'mortar.config.yaml';
      print(await runImportConsents({ file, flags: { ...flags, config }, environment: readEnvironment(), onProgress }));
    });
}

function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('look after the consent ledger');
  addServeOptions(
    ledger
      .command('verify')
      .description('walk every chain of events and compare the states with them; changes nothing'),
  ).action(async (flags: ServeFlags) => {
    const [{ runLedgerVerify }, { readEnvironment }] = await Promise.all([
      import('./commands/ledger-verify.ts'),
      import('./config.ts'),
    ]);
    const onProgress = (text: string) => void (process.stderr.isTTY && process.stderr.write(`\r${text}`));
    const config = flags.config ?? 'mortar.config.yaml';
    print(await runLedgerVerify({ flags: { ...flags, config }, environment: readEnvironment(), onProgress }));
  });
}

function addDoctor(program: Command): void {
  addServeOptions(
    program
      .command('doctor')
      .description('check configuration, systems and services, and say what to do; changes nothing'),
  )
    .option('--offline', 'check the configuration alone: ask nobody', false)
    .option('--json', 'findings as JSON', false)
    .option('--timeout <seconds>', 'the most the whole check may take', seconds, 60)
    .action(async (flags: ServeFlags & { offline: boolean; json: boolean; timeout: number }) => {
      const [{ runDoctor }, { readEnvironment }, { systemClock }] = await Promise.all([
        import('./commands/doctor.ts'),
        import('./config.ts'),
        import('#platform/clock.ts'),
      ]);
      const { exitCode, lines } = await runDoctor({
        ...flags,
        flags: { ...flags, config: flags.config ?? 'mortar.config.yaml' },
        environment: readEnvironment(),
        timeoutMs: flags.timeout * 1000,
        clock: systemClock,
        onProgress: (text) => void (process.stderr.isTTY && process.stderr.write(`\r\u001B[2K${text}`)),
      });
      if (process.stderr.isTTY) process.stderr.write('\r\u001B[2K');
      process.stdout.write(lines.map((line) => `${line}\n`).join(''));
      process.exitCode = exitCode;
    });
}

function addConnectorCommands(program: Command): void {
  const connector = program.command('connector').description('write connectors');
  connector
    .command('new')
    .description('write a connector, a fake of its system and a contract test that pass, and register it')
    .argument('<name>', 'KIND-VENDOR, for example erp-acme')
    .action(async (name: string) => {
      const [{ runConnectorNew }, { projectFiles }] = await Promise.all([
        import('./commands/connector-new.ts'),
        import('./project-files.ts'),
      ]);
      print(runConnectorNew({ name, files: projectFiles() }));
    });
}

function addSchemaCommands(program: Command): void {
  program
    .command('warm')
    .description('keep compiled code for quick starts (npm runs it after an installation)')
    .action(async () => print(await (await import('./commands/warm.ts')).runWarm()));
  program
    .command('compose')
    .description('compose the subgraphs into schema/supergraph.graphql; or ours and yours into a file of your own')
    .option(
      '--subgraph <name=file[@url]>',
      'a subgraph of yours: its schema, and where it answers; may be repeated',
      collect,
      [],
    )
    .option('--out <file>', 'where the supergraph goes; needed with --subgraph')
    .action(async ({ subgraph, out }: { subgraph: readonly string[]; out?: string }) =>
      print(
        subgraph.length === 0 && out === undefined
          ? (await import('./commands/compose.ts')).runCompose()
          : (await import('./commands/compose-beside.ts')).runComposeBeside({ given: subgraph, out }),
      ),
    );
  program
    .command('check')
    .description('fail on drift, broken governance, breaking changes and stale pages')
    .action(async () => print((await import('./commands/check.ts')).runCheck()));
  program
    .command('release')
    .description('write schema/released.graphql: what it says is from then on a promise')
    .option('--allow-breaking', 'release although callers break')
    .action(async (options: { allowBreaking?: boolean }) =>
      print((await import('./commands/release.ts')).runRelease(options)),
    );
  program
    .command('docs')
    .description('write the generated pages under docs/')
    .option('--check', 'only say which have drifted', false)
    .action(async (options: { check: boolean }) => print((await import('./commands/docs.ts')).runDocs(options)));
}

function createProgram(): Command {
  const program = new Command('mortar')
    .description('One graph over the systems a retailer already runs.')
    .version('0.1.0', '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('Run with --help to see what there is.')
    .exitOverride();
  addRunCommands(program);
  addLedgerCommands(program);
  addDoctor(program);
  addConnectorCommands(program);
  addSchemaCommands(program);
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().showHelpAfterError('Run with --help to see what there is.').allowExcessArguments(false);
  }
  return program;
}

/** What a person at a terminal needs: the message of an expected failure, the whole of an unexpected one. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === 'MortarError' ? error.message : (error.stack ?? error.message);
}

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE_ERROR;
  } else {
    process.stderr.write(`mortar: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}
