import { echo } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

// Run by kit.ts as a process of its own, so that the upstream's work is not measured: answers the people it is asked for.

const upstream = await startUpstream(({ body }, response) => {
  upstream.forget();
  sendJson(response, echo(body));
});
process.stdout.write(`${upstream.url}\n`);
