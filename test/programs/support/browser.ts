import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { root } from '../../../scripts/nginx.ts';
import { program } from '../../../scripts/programs/programs.ts';

/** It is to talk to nobody but the tests' own pages. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser of somebody who was never here; it ends with the test, and a failing test says what its pages said. */
export async function openBrowser(
  t: ExecutionContext,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const browser = await chromium.launch({ executablePath: program('chromium'), args: FLAGS });
  const said: string[] = [];
  t.teardown(async () => {
    if (!t.passed) t.log(`browser:\n${said.join('\n')}`);
    await browser.close();
  });
  const context = await browser.newContext({ viewport: { width: 1000, height: 650 }, ...options });
  context.on('console', (message) => said.push(message.text()));
  context.on('weberror', (error) => said.push(String(error.error())));
  context.on('requestfailed', (request) => said.push(`${request.failure()?.errorText} ${request.url()}`));
  return context;
}

/** Keeps what a page shows as docs/images/<name>.png, if asked to: `npm run test:programs -- --screenshots`. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!process.argv.includes('--screenshots')) return;
  await page.screenshot({ path: join(root, 'docs', 'images', `${name}.png`) });
}
