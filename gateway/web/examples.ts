/** Ready documents for the three kinds of user; `client` and `purpose` are what the sandbox offers for them. */
export interface Example {
  readonly title: string;
  readonly client: string;
  readonly purpose: string | null;
  readonly query: string;
  readonly variables: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    title: 'Front end: products with stock',
    client: 'storefront',
    purpose: null,
    query: `# What a shop page needs, over five systems.
# Choose "storefront" at the top right, then run.
query ProductPage {
  products(first: 5) {
    nodes {
      sku
      title
      price(channel: "web") { value { amount currency } }
      availability(channel: "web") {
        guarantee
        reason
        quantity {
          value
          provenance {
            asOf stale degraded
            inputs { system }
          }
        }
      }
    }
  }
}`,
    variables: '{}',
  },
  {
    title: 'Front end: pickup near me',
    client: 'storefront',
    purpose: null,
    query: `# Stores around a point, nearest first, with their hours.
query Nearby($point: GeoPointInput!) {
  locations(
    near: { point: $point, withinKm: 200 }
    kinds: [STORE]
    first: 5
  ) {
    nodes {
      id name distanceKm
      openNow nextOpening timeZone
    }
  }
}`,
    variables: '{\n  "point": { "latitude": 51.5072, "longitude": -0.1276 }\n}',
  },
  {
    title: 'Front end: stock, live',
    client: 'storefront',
    purpose: null,
    query: `# The state of now, then every change, until you stop it.
subscription LiveStock($skus: [Sku!]!) {
  stockChanged(skus: $skus, channel: "web") {
    sku
    reason
    quantity {
      value
      provenance { asOf stale inputs { system } }
    }
  }
}`,
    variables: '{\n  "skus": ["MG-00001", "MG-00002"]\n}',
  },
  {
    title: 'Associate: the customer at the counter',
    client: 'associate',
    purpose: 'PERSONALIZATION',
    query: `# A field without consent is null,
# and extensions.consent says why.
query Clienteling {
  customers(first: 5) {
    nodes {
      id
      name
      email
      preferences { brands sizes }
      loyalty { tier points { value } }
    }
  }
}`,
    variables: '{}',
  },
  {
    title: 'Partner app: what a scoped token sees',
    client: 'partner-marketplace',
    purpose: 'THIRD_PARTY_SHARING',
    query: `# Stock is open to the partner; personal fields
# are refused before anything is fetched.
query Partner {
  products(first: 3) {
    nodes {
      sku title
      availability(channel: "amazon") {
        quantity { value }
        guarantee
      }
    }
  }
  customers(first: 3) { nodes { id email } }
}`,
    variables: '{}',
  },
  {
    title: 'Analyst: the state of the systems',
    client: 'analyst',
    purpose: null,
    query: `# Health, lag, limits and coverage of every system.
query Systems {
  systems {
    id connector state lastErrorCode
    feeds { name loaded lagSeconds leftOutRows }
    breakers { read feed write }
    pausedUntil
    budgets { name left limit periodSeconds }
    coverage { port coverage freshnessSeconds }
    reads writes
    unmatchedItems quarantinedRows
    quarantine { code location reason }
  }
  purposes { id title mechanism dpvIri }
}`,
    variables: '{}',
  },
];
