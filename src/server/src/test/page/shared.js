// A browser that notes what it must not do, for all scripts.

import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {chromium} from 'playwright-core';

/** What a test asks for: addresses of servers, the browser, a folder for pictures. */
export const task = JSON.parse(process.argv[2]);

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const PATIENCE = 20000;

/** Prints what a script saw, for the test to compare. */
export function report(seen) {
  process.stdout.write(JSON.stringify(seen));
}

/**
 * Opens pages in a new browser with a new folder of its own, and closes it. Afterwards no page may have asked another
 * place than the servers of the task, nor have complained.
 *
 * @param allowed part of the complaints that are expected
 */
export async function browse(actions, allowed = []) {
  const folder = mkdtempSync(join(tmpdir(), 'sgpt4j-page-'));
  const origins = Object.values(task).filter(value => value.startsWith('http')).map(url => new URL(url).origin);
  const foreign = [];
  const complaints = [];
  const open = async options => {
    const context = await chromium.launchPersistentContext(join(folder, String(contexts.length)), {
      executablePath: task.browser, headless: true, args: FLAGS, viewport: {width: 1360, height: 900}, locale: 'en',
      ...options,
    });
    contexts.push(context);
    context.setDefaultTimeout(PATIENCE);
    context.on('request', request => {
      if (!origins.includes(new URL(request.url()).origin)) {
        foreign.push(request.url());
      }
    });
    const page = context.pages()[0] ?? await context.newPage();
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type()) && !allowed.some(part => message.text().includes(part))) {
        complaints.push(`${message.type()}: ${message.text()}`);
      }
    });
    page.on('pageerror', failure => complaints.push(`uncaught: ${failure.stack}`));
    return page;
  };
  const contexts = [];
  try {
    await actions(open);
  } finally {
    for (const context of contexts) {
      await context.close();
    }
    rmSync(folder, {recursive: true, force: true, maxRetries: 5});
  }
  assert.deepEqual(foreign, [], 'requests to other places');
  assert.deepEqual(complaints, [], 'complaints of the page');
}

/** A picture for people to look at. */
export async function picture(page, name) {
  await page.screenshot({path: join(task.pictures, `${name}.png`), fullPage: !name.includes('why')});
}

/** A page must not be wider than the window. */
export async function fits(page, what) {
  const [width, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width <= room, `${what}: ${width} px wide in a window of ${room} px`);
}

/** Waits until all columns that are there have answered. */
export async function answered(page) {
  await page.waitForFunction(() => {
    const columns = [...document.querySelectorAll('.column')];
    return columns.length > 0 && columns.every(column => !column.hasAttribute('aria-busy')
      && column.querySelector('.results li') !== null);
  });
}

/** The text of what screen readers skip and readers of the screen see. */
export async function visibleText(locator) {
  return locator.evaluate(element => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll('.unseen').forEach(part => part.remove());
    return copy.textContent.trim();
  });
}
