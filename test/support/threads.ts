/** How many threads this one started and that run now. */
export function threadCount(): number {
  // The types of Node say no more than `object`.
  const { workers } = process.report.getReport() as { workers: readonly unknown[] };
  return workers.length;
}
