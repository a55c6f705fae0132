/**
 * Environment that makes the example app, or any program of Node, run this code before its own. It may take what
 * modules it needs by `process.getBuiltinModule`.
 */
export function running(code: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

/** The app ends when somebody visits `exit`, and says why. */
export const exitsWhenAsked: Record<string, string> = running(`
  process.getBuiltinModule('diagnostics_channel').subscribe('http.server.request.start', ({ request }) => {
    if (request.url !== '/exit') return;
    console.error('cannot find my database');
    process.exit(7);
  });
`);
