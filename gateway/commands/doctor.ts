import { examine, type DoctorOptions } from '#gateway/doctor/doctor.ts';
import type { DoctorFinding } from '#gateway/doctor/finding.ts';
import { type CommandReport, failed, succeeded } from './report.ts';

const MARKS = { ok: '✓', warning: '!', error: '✗' } as const;

/**
 * Checks configuration, systems and the process's own services, and says what to do. Exit code 1 when something will not
 * work; warnings alone do not fail. Writes nothing anywhere.
 */
export async function runDoctor(options: DoctorOptions & { readonly json: boolean }): Promise<CommandReport> {
  const findings = await examine(options);
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  const report = errors === 0 ? succeeded : failed;
  if (options.json) return report(JSON.stringify({ ok: errors === 0, errors, warnings, findings }, null, 2));
  const subjects = Map.groupBy(findings, ({ about }) => about);
  return report(
    ...[...subjects].flatMap(([about, entries]) => [about, ...entries.flatMap(linesOf)]),
    `${errors} errors, ${warnings} warnings.`,
  );
}

function linesOf({ level, message, todo }: DoctorFinding): readonly string[] {
  const line = `  ${MARKS[level]} ${message}`;
  return todo === null ? [line] : [line, `      ${todo}`];
}
