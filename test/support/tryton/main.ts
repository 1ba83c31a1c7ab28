// usage: npx node test/support/tryton/main.ts
// Tryton with the retailer's ERP and warehouses, the sandbox for the rest, until Ctrl-C: to look around in both.
import { requireTryton } from './database.ts';
import { startTrytonRetailer } from './main-job.ts';

await requireTryton();
const retailer = await startTrytonRetailer();
const { tryton, configFile, environment } = retailer;
const lines = [
  '',
  `  Tryton        ${tryton.url}  database mortar, user admin (password in test/support/tryton/database.ts)`,
  `  sandbox       ${retailer.control}`,
  '',
  '  In another terminal:',
  '',
  ...Object.entries(environment).map(([name, value]) => `  export ${name}='${value}'`),
  `  npm start -- --config ${configFile} --home .mortar/over-tryton`,
  '',
  '  Ctrl-C stops it.',
  '',
];
process.stdout.write(`${lines.join('\n')}\n`);
const stop = (): void => {
  retailer[Symbol.asyncDispose]().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
