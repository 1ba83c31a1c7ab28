/** One thing that was checked. `error`: it will not work. `warning`: it works less well than it could. */
export interface DoctorFinding {
  readonly level: 'ok' | 'warning' | 'error';
  /** `configuration`, `issuer`, `keys`, `database`, `redis`, or a system's id. */
  readonly about: string;
  readonly message: string;
  /** What to do; null: nothing. */
  readonly todo: string | null;
}

/** Makes findings about one subject. Messages never hold credentials, answers of systems or personal data. */
export function findingsAbout(about: string) {
  return {
    ok: (message: string): DoctorFinding => ({ level: 'ok', about, message, todo: null }),
    warning: (message: string, todo: string): DoctorFinding => ({ level: 'warning', about, message, todo }),
    error: (message: string, todo: string): DoctorFinding => ({ level: 'error', about, message, todo }),
  };
}

/** The names of a list that grows without bound: the first few, and how many more. */
export function namesOf(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
