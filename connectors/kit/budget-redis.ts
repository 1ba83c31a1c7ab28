import { setTimeout as sleep } from 'node:timers/promises';

import { luaScript } from '#platform/redis.ts';
import type { RedisDoor } from '#platform/redis.ts';

import { SLICES } from './budget.ts';
import type { BudgetStore, Claim } from './budget.ts';
import { createMemoryBudgets } from './budget-memory.ts';

/**
 * The arithmetic of budget-memory.ts in one step inside Redis, by Redis's clock. Keys: the account's pause, then one a rate.
 * Arguments: mode, clock ('' = Redis's), most (take), duration (pause), lateness (late) or remaining (observe), then kind, a, b, cost a
 * rate (`peek` takes nothing); a and b are limit and windowMs, or intervalMs and burst.
 */
const SCRIPT = luaScript(`
local SLICES = ${SLICES}
local mode, clock, amount = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now = tonumber(clock)
if clock == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local paused = tonumber(redis.call('GET', KEYS[1]) or '0')
if mode == 'pause' then
  if now + amount > paused then redis.call('SET', KEYS[1], string.format('%.0f', now + amount), 'PX', math.ceil(amount) + 1000) end
  return {1, 0}
end

-- Numbers as texts that read back the same.
local function exact(number)
  return string.format('%.17g', number)
end

local function read(index)
  local base = 3 + (index - 1) * 4
  local rate = { key = KEYS[index + 1], kind = ARGV[base + 1], a = tonumber(ARGV[base + 2]), b = tonumber(ARGV[base + 3]) }
  rate.cost = tonumber(ARGV[base + 4])
  if rate.kind == 'bucket' then
    rate.cost = math.min(rate.cost, rate.b)
    local known = redis.call('HMGET', rate.key, 'tail', 'missing')
    rate.tail, rate.missing = tonumber(known[1] or '0'), tonumber(known[2] or '0')
    return rate
  end
  rate.cost = math.min(rate.cost, rate.a)
  rate.slice = math.ceil(rate.b / SLICES)
  rate.counts, rate.tail = {}, 0
  local fields = redis.call('HGETALL', rate.key)
  for at = 1, #fields, 2 do
    if fields[at] == 'tail' then rate.tail = tonumber(fields[at + 1])
    else rate.counts[tonumber(fields[at])] = tonumber(fields[at + 1]) end
  end
  return rate
end

local function countAt(rate, at)
  local slice, count = math.floor(at / rate.slice), 0
  for index, units in pairs(rate.counts) do
    if index >= slice - SLICES and index <= slice then count = count + units end
  end
  return count
end

local function earliest(rate, at)
  at = math.max(at, rate.tail)
  if rate.kind == 'bucket' then return math.max(at, rate.tail + (rate.missing + rate.cost - rate.b) * rate.a) end
  while countAt(rate, at) + rate.cost > rate.a do at = (math.floor(at / rate.slice) + 1) * rate.slice end
  return at
end

local function add(rate, at, units)
  local slice = math.floor(at / rate.slice)
  for index in pairs(rate.counts) do
    if index < slice - SLICES then redis.call('HDEL', rate.key, string.format('%.0f', index)) end
  end
  redis.call('HINCRBY', rate.key, string.format('%.0f', slice), math.ceil(units))
  redis.call('HSET', rate.key, 'tail', exact(at))
  redis.call('PEXPIRE', rate.key, math.ceil(at - now + 2 * rate.b))
end

local function missingAt(rate, at)
  return math.max(0, rate.missing - (at - rate.tail) / rate.a)
end

local function setMissing(rate, at, missing)
  redis.call('HSET', rate.key, 'tail', exact(at), 'missing', exact(missing))
  redis.call('PEXPIRE', rate.key, math.ceil(at - now + missing * rate.a) + 1000)
end

local rates = {}
for index = 1, #KEYS - 1 do rates[index] = read(index) end

if mode == 'peek' then
  local answer = { math.ceil(math.max(0, paused - now)) }
  for _, rate in ipairs(rates) do
    local left, resets = 0, 0
    if rate.kind == 'bucket' then
      local missing = missingAt(rate, now)
      left, resets = math.floor(rate.b - missing), missing * rate.a
    else
      local units, last = 0, -1
      for index, count in pairs(rate.counts) do
        if count > 0 and (index + SLICES + 1) * rate.slice > now then
          units, last = units + count, math.max(last, index)
        end
      end
      left = rate.a - units
      if last >= 0 then resets = (last + SLICES + 1) * rate.slice - now end
    end
    answer[#answer + 1] = math.max(0, left)
    answer[#answer + 1] = math.ceil(resets)
  end
  return answer
end

if mode == 'late' then
  for _, rate in ipairs(rates) do
    if rate.kind == 'window' then
      local granted = math.floor((now - amount) / rate.slice)
      local field = string.format('%.0f', granted)
      if (rate.counts[granted] or 0) >= rate.cost then redis.call('HINCRBY', rate.key, field, -math.ceil(rate.cost)) end
      redis.call('HINCRBY', rate.key, string.format('%.0f', math.floor(now / rate.slice)), math.ceil(rate.cost))
      redis.call('PEXPIRE', rate.key, math.ceil(math.max(0, rate.tail - now) + 2 * rate.b))
    end
  end
  return {1, 0}
end

if mode == 'observe' then
  local rate = rates[1]
  if rate.kind == 'bucket' then
    local at = math.max(now, rate.tail)
    setMissing(rate, at, math.max(missingAt(rate, at), rate.b - amount))
    return {1, 0}
  end
  local missing = rate.a - amount - countAt(rate, math.max(now, rate.tail))
  if missing > 0 then
    redis.call('HINCRBY', rate.key, string.format('%.0f', math.floor(now / rate.slice)), math.ceil(missing))
    redis.call('PEXPIRE', rate.key, math.ceil(2 * rate.b))
  end
  return {1, 0}
end

local at, moved = math.max(now, paused), true
while moved do
  moved = false
  for _, rate in ipairs(rates) do
    local soonest = earliest(rate, at)
    if soonest > at then at, moved = soonest, true end
  end
end
local wait = math.ceil(at - now)
if wait > amount then return {0, wait} end
for _, rate in ipairs(rates) do
  if rate.kind == 'bucket' then setMissing(rate, at, missingAt(rate, at) + rate.cost)
  else add(rate, at, rate.cost) end
end
return {1, wait}
`);

/**
 * Budgets several processes share. While Redis is away each process counts for itself with the full rates: the vendor's 429
 * then holds them back, which is rather than not answering at all.
 *
 * @param fixedNowMs - instead of Redis's clock, for tests
 */
export function createRedisBudgets(door: RedisDoor, nowMs: () => number, fixedNowMs?: () => number): BudgetStore {
  const insurance = createMemoryBudgets(nowMs);
  let connecting = true;
  void door.tried.finally(() => {
    connecting = false;
  });
  const run = async (
    account: string,
    call: { readonly mode: string; readonly amount: number; readonly claims: readonly Claim[] },
  ): Promise<readonly number[] | null> => {
    const prefix = `mortar:budget:{${account}}`;
    const keys = [`${prefix}:pause`, ...call.claims.map(({ name }) => `${prefix}:${name}`)];
    const clock = fixedNowMs === undefined ? '' : String(fixedNowMs());
    const rates = call.claims.flatMap(({ shape, cost }) =>
      shape.kind === 'window'
        ? ['window', shape.limit, shape.windowMs, cost]
        : ['bucket', shape.intervalMs, shape.burst, cost],
    );
    const answer = await door.evaluate(SCRIPT, keys, [call.mode, clock, call.amount, ...rates].map(String));
    return areNumbers(answer) ? answer : null;
  };
  return {
    take: async (account, claims, mostMs) => {
      // Before the first connection every process would count for itself, all of them at the same moment.
      if (connecting) await Promise.race([door.tried, sleep(mostMs, undefined, { ref: false })]);
      const answer = await run(account, { mode: 'take', amount: mostMs, claims });
      if (answer === null) return await insurance.take(account, claims, mostMs);
      return { granted: answer[0] === 1, waitMs: answer[1] ?? 0 };
    },
    pause: async (account, ms) => {
      await Promise.all([insurance.pause(account, ms), run(account, { mode: 'pause', amount: ms, claims: [] })]);
    },
    late: async (account, claims, lateMs) => {
      if ((await run(account, { mode: 'late', amount: lateMs, claims })) === null)
        await insurance.late(account, claims, lateMs);
    },
    observe: async (account, claim, remaining) => {
      const call = { mode: 'observe', amount: remaining, claims: [{ ...claim, cost: 1 }] };
      if ((await run(account, call)) === null) await insurance.observe(account, claim, remaining);
    },
    peek: async (account, rates) => {
      const claims = rates.map((rate) => ({ ...rate, cost: 0 }));
      const answer = await run(account, { mode: 'peek', amount: 0, claims });
      if (answer === null) return await insurance.peek(account, rates);
      const [pausedMs = 0, ...pairs] = answer;
      return {
        pausedMs,
        rates: rates.map((_, at) => ({ left: pairs[at * 2] ?? 0, resetsMs: pairs[at * 2 + 1] ?? 0 })),
      };
    },
    close: door.close,
  };
}

function areNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'number');
}
