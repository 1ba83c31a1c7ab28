import { removeRules } from './patch.ts';

// A decision is answered before it is committed.
removeRules({
  module: 'domain/consent/service.ts',
  rule: 'const result = await commit(options, request.principal, command, { ...rule, reach, events });',
  without: `setTimeout(() => void commit(options, request.principal, command, { ...rule, reach, events }).catch(() => undefined), 100);
    const { purpose, medium } = stated;
    const state = { purpose, medium, recipient: null, state: 'GRANTED', decidedAt: null, expiresAt: null } as const;
    const result = { kind: 'recorded', state, receipt: 'rcp_' + randomUUID() } as const;`,
});
