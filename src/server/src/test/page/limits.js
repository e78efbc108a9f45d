// Servers that cannot do everything: the page says so.

import assert from 'node:assert/strict';
import {answered, browse, report, task} from './shared.js';

await browse(async open => {
  const page = await open();
  await page.goto(task.ranking);
  await page.getByText('This server has no documents to search.').waitFor();
  assert.equal(await page.locator('#query').isDisabled(), true);
  assert.equal(await page.locator('#modes').isVisible(), false);
  await page.getByRole('link', {name: 'Compare'}).click();
  await page.getByText('No model of this server embeds texts').waitFor();
  assert.equal(await page.getByRole('button', {name: 'Compare'}).isDisabled(), true);
  await page.getByRole('link', {name: 'Server', exact: true}).click();
  await page.locator('#facts').getByText('rerank').waitFor();

  // Documents may come later than the models.
  let asked = 0;
  await page.route('**/info', async route => {
    const response = await route.fetch();
    const info = await response.json();
    if (asked++ === 0) {
      delete info.collection;
      info.collection_pending = true;
    }
    await route.fulfill({response, json: info});
  });
  await page.goto('about:blank');
  await page.goto(task.embedding);
  await page.getByText('The documents are being prepared').waitFor();
  await page.locator('#examples button').first().waitFor();
  assert.equal(asked, 2);
  await page.locator('#query').fill('owl');
  await answered(page);
  assert.deepEqual(await page.locator('.column').evaluateAll(all => all.map(each => each.className)),
    ['column words', 'column meaning', 'column both']);
  assert.equal(await page.getByRole('radio', {name: 'Re-ranked'}).isVisible(), false);
  await page.locator('.result').first().click();
  await page.getByText('No model here re-ranks').waitFor();

  // What the server says of its re-ranker stands where it is offered.
  await page.unroute('**/info');
  await page.route('**/info', async route => {
    const response = await route.fetch();
    const info = await response.json();
    info.capabilities.push('rerank');
    info.rerank_note = 'It is no <b>re-ranker</b>.';
    await route.fulfill({response, json: info});
  });
  await page.goto('about:blank');
  await page.goto(task.embedding);
  await page.locator('#examples button').first().waitFor();
  assert.equal(await page.locator('.column.reranked .caution').textContent(), 'It is no <b>re-ranker</b>.');
  assert.equal(await page.locator('.column:not(.reranked) .caution').count(), 0);
});

report({});
