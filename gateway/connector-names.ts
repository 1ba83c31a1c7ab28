import { nearestName } from '#platform/nearest-name.ts';

/**
 * Connectors by the name a configuration uses: the names of their folders. Apart from connectors.ts, so that a configuration
 * is checked before any connector is loaded.
 */
export const CONNECTOR_NAMES = [
  'erp-business-central',
  'erp-tryton',
  'wms-connect',
  'pos-square',
  'crm-hubspot',
  'marketplace-amazon',
  'carrier-shipengine',
  'email-klaviyo',
  'social-pinterest',
] as const;
export type ConnectorName = (typeof CONNECTOR_NAMES)[number];

/** What to say of a connector that does not exist. */
export function unknownConnector(name: string): string {
  const nearest = nearestName(name, CONNECTOR_NAMES);
  const hint = nearest === null ? `known are ${CONNECTOR_NAMES.join(', ')}` : `did you mean "${nearest}"?`;
  return `unknown connector "${name}"; ${hint}`;
}
