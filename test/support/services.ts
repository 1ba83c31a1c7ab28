/**
 * Whether a service a test needs can be reached. Where it cannot, the reason is printed and the test skips; under
 * MORTAR_REQUIRE_SERVICES=1 (continuous integration) that is a failure instead.
 */
export async function serviceOrSkip(name: string, probe: () => Promise<unknown>): Promise<boolean> {
  try {
    await probe();
    return true;
  } catch (error) {
    const reason = `${name} is not available: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env['MORTAR_REQUIRE_SERVICES'] === '1') throw new Error(reason, { cause: error });
    process.stderr.write(`skipped: ${reason}\n`);
    return false;
  }
}
