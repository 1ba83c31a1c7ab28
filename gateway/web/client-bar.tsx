import { useGraphiQL } from '@graphiql/react';
import { useEffect, useState } from 'react';

import { EXAMPLES } from './examples.ts';
import { type DevelopmentClient, loadClients, requestToken, type Session } from './session.ts';

interface Status {
  readonly state: 'none' | 'asking' | 'ready' | 'failed';
  readonly text: string;
}

const NO_TOKEN: Status = { state: 'none', text: 'No token: choose a client' };

/** What the bar says once the issuer answered. */
async function outcome(client: string, token: Promise<string>): Promise<Status> {
  try {
    await token;
    return { state: 'ready', text: `Token of ${client}` };
  } catch (error) {
    return { state: 'failed', text: error instanceof Error ? error.message : String(error) };
  }
}

/** Examples and, in sandbox mode, a token of each development client one click away. */
export function ClientBar({ session }: { readonly session: Session }) {
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const [clients, setClients] = useState<readonly DevelopmentClient[]>([]);
  const [chosen, setChosen] = useState<string>('');
  const [purpose, setPurpose] = useState<string>('');
  const [customer, setCustomer] = useState<string>('');
  const [status, setStatus] = useState<Status>(NO_TOKEN);

  useEffect(() => {
    loadClients().then(setClients, () => setClients([]));
  }, []);

  function declare(next: string): void {
    setPurpose(next);
    session.purpose = next === '' ? null : next;
  }

  async function act(client: string, nextPurpose: string): Promise<void> {
    setChosen(client);
    declare(nextPurpose);
    if (client === '') {
      session.token = null;
      setStatus(NO_TOKEN);
      return;
    }
    setStatus({ state: 'asking', text: 'Asking the issuer…' });
    const token = requestToken(client, customer === '' ? null : customer);
    session.token = token;
    const next = await outcome(client, token);
    // Another client may have been chosen meanwhile: its answer counts, in whatever order the two arrive.
    if (session.token !== token) return;
    // Headers typed in the editor and the schema's introspection go without it.
    if (next.state === 'failed') session.token = null;
    setStatus(next);
  }

  function show(title: string): void {
    const example = EXAMPLES.find((entry) => entry.title === title);
    if (example === undefined) return;
    queryEditor?.setValue(example.query);
    variableEditor?.setValue(example.variables);
    if (clients.length > 0) void act(example.client, example.purpose ?? '');
  }

  const purposes = clients.find((entry) => entry.id === chosen)?.purposes ?? [];
  return (
    <div className="client-bar">
      <select aria-label="Example" value="" onChange={(event) => show(event.target.value)}>
        <option value="">Examples…</option>
        {EXAMPLES.map((example) => (
          <option key={example.title}>{example.title}</option>
        ))}
      </select>
      {clients.length > 0 && (
        <>
          <select
            aria-label="Client"
            value={chosen}
            onChange={(event) => {
              const next = clients.find((entry) => entry.id === event.target.value);
              void act(event.target.value, next?.purposes[0] ?? '');
            }}
          >
            <option value="">Client…</option>
            {clients.map((entry) => (
              <option key={entry.id}>{entry.id}</option>
            ))}
          </select>
          <select aria-label="Purpose" value={purpose} onChange={(event) => declare(event.target.value)}>
            <option value="">no purpose</option>
            {purposes.map((entry) => (
              <option key={entry}>{entry}</option>
            ))}
          </select>
          {chosen === 'customer-app' && (
            <input
              aria-label="Customer id"
              placeholder="cus_… (empty: any)"
              value={customer}
              onChange={(event) => setCustomer(event.target.value)}
              onBlur={() => void act(chosen, purpose)}
            />
          )}
          <output data-state={status.state} title={status.text}>
            {status.text}
          </output>
        </>
      )}
    </div>
  );
}
