import { CONNECTOR_NAMES, type ConnectorName, unknownConnector } from './connector-names.ts';
import { carrierShipengine } from '#connectors/carrier-shipengine/connector.ts';
import { crmHubspot } from '#connectors/crm-hubspot/connector.ts';
import { emailKlaviyo } from '#connectors/email-klaviyo/connector.ts';
import { erpBusinessCentral } from '#connectors/erp-business-central/connector.ts';
import { erpTryton } from '#connectors/erp-tryton/connector.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { marketplaceAmazon } from '#connectors/marketplace-amazon/connector.ts';
import { posSquare } from '#connectors/pos-square/connector.ts';
import { socialPinterest } from '#connectors/social-pinterest/connector.ts';
import { wmsConnect } from '#connectors/wms-connect/connector.ts';
import { MortarError } from '#platform/errors.ts';
import type { RetailConfig, SystemConfig } from '#schema/model/configuration.ts';

// Each definition's settings are its own affair: it makes them, and it alone reads them.
// eslint-disable-next-line typescript/no-explicit-any
export type AnyConnector = ConnectorDefinition<any>;

/** Every connector. */
export const CONNECTORS: Readonly<Record<ConnectorName, AnyConnector>> = {
  'erp-business-central': erpBusinessCentral,
  'erp-tryton': erpTryton,
  'wms-connect': wmsConnect,
  'pos-square': posSquare,
  'crm-hubspot': crmHubspot,
  'marketplace-amazon': marketplaceAmazon,
  'carrier-shipengine': carrierShipengine,
  'email-klaviyo': emailKlaviyo,
  'social-pinterest': socialPinterest,
};

/** @throws {MortarError} CONFIGURATION_INVALID when there is no such connector */
export function connectorOf({ id, connector }: Pick<SystemConfig, 'id' | 'connector'>): AnyConnector {
  const name = CONNECTOR_NAMES.find((known) => known === connector);
  if (name !== undefined) return CONNECTORS[name];
  throw new MortarError('CONFIGURATION_INVALID', { message: `system ${id} names the ${unknownConnector(connector)}` });
}

/** A system's entry with what it inherits from the retailer. @throws {MortarError} CONFIGURATION_INVALID when there is no such connector */
export function withRetailDefaults(system: SystemConfig, { currency }: Pick<RetailConfig, 'currency'>): SystemConfig {
  if (connectorOf(system).inheritsCurrency !== true) return system;
  return { ...system, options: { currency, ...system.options } };
}
