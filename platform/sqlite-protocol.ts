/** Messages between sqlite-client.ts and sqlite-worker.ts. */
export interface SqliteWorkerData {
  readonly file: string;
  readonly readOnly: boolean;
}

export interface SqliteRequest {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export type SqliteResponse =
  | { readonly id: number; readonly ok: true; readonly rows: readonly unknown[]; readonly changes: number }
  /** `code`: SQLite's extended result code, null when the error is not SQLite's. */
  | { readonly id: number; readonly ok: false; readonly message: string; readonly code: number | null };
