import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Shell command of a session that is the app of page-app.js. */
export const pageApp: string = `exec "${process.execPath}" "${join(import.meta.dirname, 'page-app.js')}"`;

/** Opens a WebSocket from a page, and returns what comes back for a message. The socket stays open as `socket`. */
export function ask(page: Page, message: string): Promise<string> {
  return page.evaluate(`new Promise((resolve, reject) => {
    globalThis.socket = new WebSocket(new URL('socket', location.href).href.replace(/^http/, 'ws'));
    socket.onopen = () => socket.send('${message}');
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => reject(new Error('the WebSocket failed'));
  })`);
}

/** What a page's own script gets for a path beside it. */
export function fetchText(page: Page, path: string): Promise<string> {
  return page.evaluate(`fetch('${path}').then((answer) => answer.text())`);
}
