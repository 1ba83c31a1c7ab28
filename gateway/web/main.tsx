// The workers must be set up before the editor loads.
import 'graphiql/setup-workers/vite';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';

import { ClientBar } from './client-bar.tsx';
import { EXAMPLES } from './examples.ts';
import { createFetcher, createSession } from './session.ts';

const session = createSession();
const fetcher = createFetcher(session);
const plugins = [explorerPlugin()];

function Page() {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      initialQuery={EXAMPLES[0]?.query}
      initialVariables={EXAMPLES[0]?.variables}
      defaultEditorToolsVisibility="variables"
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <ClientBar session={session} />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

const root = document.querySelector('#root');
if (root !== null) createRoot(root).render(<Page />);
