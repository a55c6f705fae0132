/** The two pages a person may see instead of their session. Each is one self-contained document. */

const STYLE = `
  :root { color-scheme: light dark; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; text-align: center;
    font: 1.05rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
  main { padding: 2rem; max-width: 32rem; text-wrap: balance; }
  h1 { font-size: 1.4rem; font-weight: 600; margin: 0 0 .5rem; }
  p { margin: 0; opacity: .8; }
  small { display: block; margin-top: 1.5rem; opacity: .6; overflow-wrap: anywhere; }
  .bar { height: 4px; margin: 1.5rem auto 0; width: 12rem; border-radius: 2px; overflow: hidden;
    background: color-mix(in srgb, CanvasText 15%, transparent); }
  .bar::after { content: ''; display: block; height: 100%; width: 40%; border-radius: 2px; background: #3b82f6;
    animation: slide 1.4s ease-in-out infinite alternate; }
  @keyframes slide { from { transform: translateX(0); } to { transform: translateX(150%); } }
  @media (prefers-reduced-motion: reduce) { .bar::after { animation: none; width: 100%; } }`;

/**
 * Brings itself up to date: it asks the router until the session is ready, and then loads what was asked for.
 * `id`: '' if the session has a host of its own, which says it already.
 */
export function waitingPage(id: string, title: string): string {
  const head = '<noscript><meta http-equiv="refresh" content="2"></noscript>';
  const main = `<h1 id="title">${title}</h1>
<p id="text" role="status">This page shows it as soon as it is ready.</p>
<div id="bar" class="bar"></div>
<script>${waitingScript(id)}</script>`;
  return page(title, head, main);
}

/** All texts are the router's own; nothing of the request is in them. */
export function errorPage(title: string, message: string, retry: boolean, detail: string): string {
  const head = retry ? '<meta http-equiv="refresh" content="2">' : '';
  return page(title, head, `<h1>${title}</h1>\n<p>${message}</p>\n<small>${detail}</small>`);
}

function page(title: string, head: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>${head}
<style>${STYLE}
</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

function waitingScript(id: string): string {
  // Below a path, what comes before `/p/` is taken from the address bar: an outer proxy may strip a prefix.
  const url =
    id === ''
      ? `'/.spawner/wait'`
      : `location.pathname.slice(0, location.pathname.indexOf('/p/${id}')) + '/p/-/wait/${id}'`;
  return `
  var url = ${url};
  function ask() {
    fetch(url, { cache: 'no-store' })
      .then(function (response) { return response.json(); })
      .then(function (answer) {
        if (answer.state === 'starting') { setTimeout(ask, 1000); return; }
        if (answer.state === 'gone' || answer.state === 'unknown') { giveUp(); return; }
        location.reload();
      })
      .catch(function () { setTimeout(ask, 2000); });
  }
  function giveUp() {
    document.title = 'The session could not be started';
    document.getElementById('title').textContent = document.title;
    document.getElementById('text').textContent = 'It ended before it was ready. Please start a new one.';
    document.getElementById('bar').remove();
  }
  ask();
`;
}
