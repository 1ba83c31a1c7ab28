import { describe, expect, test } from 'vitest';
import { checkRequest, checkResponse, contractsAvailable, loadContract } from './contracts.ts';
import { normalizeContract } from './normalize-contract.ts';

const COUNTS = '/v2/inventory/counts/batch-retrieve';
const post = (url: string) => ({ method: 'POST', url, headers: { 'content-type': 'application/json' } });
const get = (url: string) => ({ method: 'GET', url });

describe('contract normalization', () => {
  test('a nullable reference becomes a choice with null', () => {
    const schema = normalizeContract({ properties: { a: { $ref: '#/x', nullable: true } } });
    expect(schema).toEqual({
      properties: { a: { anyOf: [{ $ref: '#/x' }, { type: 'string', nullable: true, enum: [null] }] } },
    });
  });
  test('draft-4 exclusive bounds become numbers and null subschemas accept anything', () => {
    const schema = normalizeContract({ minimum: 3, exclusiveMinimum: true, items: null });
    expect(schema).toEqual({ exclusiveMinimum: 3, items: {} });
  });
});

describe.skipIf(!contractsAvailable())('contract oracle', () => {
  test('a right Square request and answer pass', async () => {
    const square = await loadContract('square/square-2025-08-20.json', { closed: true });
    expect(checkRequest(square, post(COUNTS), '{"catalog_object_ids":["A"]}')).toEqual([]);
    const counts = [{ catalog_object_id: 'A', quantity: '5', state: 'IN_STOCK', location_id: 'L' }];
    expect(checkResponse(square, post(COUNTS), 200, { counts })).toEqual([]);
    expect(checkResponse(square, get('/v2/locations'), 200, { locations: [{ id: 'L', address: {} }] })).toEqual([]);
  });

  test('wrong Square requests and answers are told', async () => {
    const square = await loadContract('square/square-2025-08-20.json', { closed: true });
    expect(checkRequest(square, post(COUNTS), '{"catalog_object_ids":"A","limit":"ten"}')).toHaveLength(2);
    expect(checkRequest(square, post('/v2/nothing'), '{}')).toHaveLength(1);
    expect(checkResponse(square, post('/v2/nothing'), 200, {})).toHaveLength(1);
    expect(checkResponse(square, post(COUNTS), 200, { counts: [{ quantity: 5 }] })).not.toEqual([]);
    expect(checkResponse(square, post(COUNTS), 200, { counts: [{ quantiyt: '5' }] })).not.toEqual([]);
    expect(checkResponse(square, post(COUNTS), 201, {})).not.toEqual([]);
    expect(checkResponse(square, post(COUNTS), 400, { errors: [{ code: 'NO_SUCH' }] })).not.toEqual([]);
  });

  test('Amazon array parameters are comma separated and capped', async () => {
    const fba = await loadContract('amazon-sp-api/fbaInventory.json');
    const base = '/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=X&marketplaceIds=X';
    expect(checkRequest(fba, get(`${base}&sellerSkus=a,b&details=true`))).toEqual([]);
    expect(checkRequest(fba, get(`${base}&sellerSkus=${Array(51).fill('a').join(',')}`))).not.toEqual([]);
    expect(checkRequest(fba, get('/fba/inventory/v1/summaries?granularityType=Planet'))).not.toEqual([]);
  });
});
