import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

// graphql 16 has an ES and a CommonJS copy; vitest would load both and graphql refuses two realms.
export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql') }] },
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', '.mortar/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    server: { deps: { inline: [] } },
  },
});
