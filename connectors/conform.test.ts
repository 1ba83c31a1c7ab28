import { conformCases } from '#test/support/conform-cases.ts';
import { conformConnector } from '#test/support/conform-connector.ts';

// Every connector against its sandbox, well-behaved and not; `erp-tryton` over a real Tryton, in its own folder.
for (const { visit } of conformCases) visit(conformConnector);
