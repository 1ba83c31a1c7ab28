/** What a command did: lines for people (or logs) and the process's exit code. */
export interface CommandReport {
  readonly exitCode: 0 | 1;
  readonly lines: readonly string[];
}

export const succeeded = (...lines: readonly string[]): CommandReport => ({ exitCode: 0, lines });
export const failed = (...lines: readonly string[]): CommandReport => ({ exitCode: 1, lines });

/** One report of several: fails when one of them failed, lines in order. */
export function joined(reports: readonly CommandReport[]): CommandReport {
  return {
    exitCode: reports.some((report) => report.exitCode === 1) ? 1 : 0,
    lines: reports.flatMap((report) => report.lines),
  };
}
