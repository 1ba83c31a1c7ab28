import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { serviceOrSkip } from '#test/support/services.ts';
import { useProduct } from '#test/support/use-product.ts';

const ARTIFACTS = fileURLToPath(new URL('artifacts/', import.meta.url));
const launch = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
const available = await serviceOrSkip('Chromium (/usr/bin/chromium)', async () => (await launch()).close());

const product = useProduct();

/** Chooses an example and presses the button in one instant of the page; no two steps of Playwright are that near. */
const CHOOSE_AND_RUN = `
  const select = document.querySelector('select[aria-label="Example"]');
  select.value = 'Associate: the customer at the counter';
  select.dispatchEvent(new Event('change', { bubbles: true }));
  document.querySelector('button[aria-label^="Execute query"]').click();
`;

describe('GraphiQL', () => {
  it('offers the development clients and their tokens through routes of the gateway', async () => {
    const { urls } = product();
    const clients: unknown = await (await fetch(`${urls.graphiql}/clients`)).json();
    expect(clients).toMatchObject({ clients: expect.arrayContaining([expect.objectContaining({ id: 'associate' })]) });
    const response = await fetch(`${urls.graphiql}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client: 'nobody' }),
    });
    expect(response.status).toBe(400);
  });
});

describe.skipIf(!available)('GraphiQL in Chromium', () => {
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const problems: string[] = [];
  beforeAll(async () => {
    browser = await launch();
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(product().urls.graphiql);
    await page.getByLabel('Client', { exact: true }).waitFor();
  }, 60_000);
  afterAll(async () => browser?.close());

  it('has ready examples for the three kinds of user', async () => {
    const titles = await page.getByLabel('Example').locator('option').allTextContents();
    for (const kind of ['Front end', 'Associate', 'Partner', 'Analyst']) expect(titles.join('\n')).toContain(kind);
  });

  it('runs an example with the token of its client, one click away, and keeps a screenshot', async () => {
    await page.getByLabel('Example').selectOption('Front end: products with stock');
    await page.locator('output[data-state="ready"]').waitFor();
    expect(await page.locator('output[data-state]').textContent()).toBe('Token of storefront');
    await page.getByRole('button', { name: /execute query/i }).click();
    const answer = page.locator('.result-window, .graphiql-response').first();
    await expect.poll(async () => (await answer.textContent()) ?? '', { timeout: 15_000 }).toContain('availability');
    expect(await answer.textContent()).not.toContain('"errors"');
    mkdirSync(ARTIFACTS, { recursive: true });
    await page.screenshot({ path: join(ARTIFACTS, 'graphiql.png') });
  }, 40_000);

  it('runs an example in the instant it is chosen, with its own name and the token of its client', async () => {
    const sent = page.waitForRequest((request) => request.postData()?.includes('Clienteling') === true);
    await page.evaluate(CHOOSE_AND_RUN);
    expect((await sent).postDataJSON()).toMatchObject({ operationName: 'Clienteling' });
    const answer = page.locator('.result-window, .graphiql-response').first();
    await expect.poll(async () => (await answer.textContent()) ?? '', { timeout: 15_000 }).toContain('customers');
    expect(await answer.textContent()).not.toContain('"errors"');
  }, 40_000);

  it('follows a subscription until it is stopped, and keeps a screenshot', async () => {
    const { metric, event, world } = product();
    await page.getByLabel('Example').selectOption('Front end: stock, live');
    await page.getByRole('button', { name: /execute query/i }).click();
    const answer = page.locator('.result-window, .graphiql-response').first();
    const shown = async () => (await answer.textContent()) ?? '';
    await expect.poll(shown, { timeout: 15_000 }).toContain('stockChanged');
    expect(await metric('mortar_streams_open', { field: 'stockChanged' })).toBe(1);
    const before = await shown();
    const row = (await world()).stock.find(
      ({ sku, authority, onHand, committed }) =>
        sku === 'MG-00001' && authority?.system === 'pos' && onHand - committed > 3,
    );
    await event({ kind: 'sale', sku: 'MG-00001', place: String(row?.place), quantity: 1 });
    await expect.poll(shown, { timeout: 15_000 }).not.toBe(before);
    expect(await shown()).not.toContain('"errors"');
    await page.screenshot({ path: join(ARTIFACTS, 'graphiql-live.png') });
    await page.getByRole('button', { name: /stop query/i }).click();
    await expect.poll(() => metric('mortar_streams_open'), { timeout: 15_000 }).toBe(0);
  }, 60_000);

  it('sends no request to another origin and raises no error in the page', () => {
    const { origin } = new URL(product().urls.graphiql);
    const others = requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== origin);
    expect(others).toEqual([]);
    expect(requests.length).toBeGreaterThan(5);
    expect(problems).toEqual([]);
  });
});
