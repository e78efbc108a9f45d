// A server with a key: the page asks for it, again if it is wrong, and keeps it for the tab.

import assert from 'node:assert/strict';
import {answered, browse, picture, report, task} from './shared.js';

await browse(async open => {
  const page = await open();
  await page.goto(task.url);
  const dialog = page.locator('#key');
  await dialog.waitFor();
  await picture(page, 'light-key');
  const field = page.getByLabel('API key');
  assert.equal(await field.getAttribute('type'), 'password');
  assert.equal(await field.evaluate(element => element === document.activeElement), true);
  await field.fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('The key was not accepted.').waitFor();
  await field.fill(task.key);
  await page.getByRole('button', {name: 'Use this key'}).click();
  await page.locator('#examples button').first().click();
  await answered(page);
  assert.ok(await page.locator('.result').count() > 0);
  assert.equal(page.url().includes('correct'), false);

  // Kept for the tab, and nowhere else.
  await page.reload();
  await page.locator('#examples button').first().waitFor();
  assert.equal(await dialog.isVisible(), false);
  assert.deepEqual(await page.evaluate(() => [localStorage.length, document.cookie]), [0, '']);
  assert.deepEqual(await page.context().cookies(), []);

  // Who has none is told so.
  const other = await page.context().newPage();
  await other.goto(task.url);
  await other.locator('#key').waitFor();
  await other.getByRole('button', {name: 'Not now'}).click();
  await other.locator('#problem').waitFor();
  assert.match(await other.locator('#problem').textContent(), /asks for its key/);
}, ['status of 401']);

report({});
