// Searches, explains, compares and watches, with mouse and keyboard, light, dark and narrow.

import assert from 'node:assert/strict';
import {answered, browse, fits, picture, report, task, visibleText} from './shared.js';

const QUERY = 'fear of spiders';
const ids = (page, column) => page.locator(`.column.${column} .result`)
  .evaluateAll(results => results.map(result => result.dataset.id));

const seen = {query: QUERY, columns: {}};

async function type(page, text) {
  await page.locator('#query').fill('');
  await page.locator('#query').pressSequentially(text);
  await answered(page);
}

async function typing(page) {
  await page.goto(task.url);
  await page.locator('#examples button').first().waitFor();
  assert.equal(await page.locator('#examples button').count(), 3);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'query');
  assert.match(await page.locator('#search-lead').textContent(), /^Search [0-9,]+ documents \(demo corpus\)/);
  await picture(page, 'light-empty');

  await page.locator('#query').pressSequentially(QUERY);
  await answered(page);
  assert.equal(await page.locator('#search-empty').isHidden(), true);
  for (const column of ['words', 'meaning', 'both', 'reranked']) {
    seen.columns[column] = await ids(page, column);
  }
  assert.match(await page.locator('#search-status').textContent(), /Words: \d+ found · Meaning: 10 found/);
  const bars = await page.locator('.column.both .bar span')
    .evaluateAll(all => all.map(bar => bar.getBoundingClientRect().width));
  assert.ok(bars[0] > 0 && bars.at(-1) > 0 && bars[0] >= bars.at(-1), `bars: ${bars}`);
  // Places: each re-ranked document says where it was.
  const notes = page.locator('.column.reranked .elsewhere');
  for (let i = 0; i < await notes.count(); i++) {
    assert.match((await visibleText(notes.nth(i))), /^([▲▼] \d+, was \d+|= same place)$/);
  }
  await picture(page, 'light-search');

  // By an example, then back to nothing.
  await page.locator('#query').fill('');
  await page.locator('#search-empty').waitFor();
  await page.locator('#examples button').nth(1).click();
  await answered(page);
  assert.equal(await page.locator('#query').inputValue(), 'a place where books are kept');
}

/** An answer that comes late must not replace a newer one. */
async function lateAnswers(page) {
  const late = [];
  await page.route('**/search', async route => {
    if (JSON.parse(route.request().postData()).query === 'bread') {
      late.push(new Promise(resolve => {
        setTimeout(() => route.continue().catch(() => {}).finally(resolve), 700);
      }));
    } else {
      await route.continue();
    }
  });
  const held = page.waitForRequest(request => request.postData()?.includes('"bread"'));
  await page.locator('#query').fill('bread');
  await held;
  await page.locator('#query').fill(QUERY);
  await answered(page);
  const before = await ids(page, 'meaning');
  assert.ok(late.length > 0);
  await Promise.all(late);
  await page.evaluate(() => fetch('health').then(response => response.text()));
  assert.deepEqual(await ids(page, 'meaning'), before);
  assert.deepEqual(before, seen.columns.meaning);
  await page.unroute('**/search');
}

async function modes(page) {
  for (const [label, column] of [['Words', 'words'], ['Meaning', 'meaning'], ['Both', 'both'], ['Re-ranked', 'reranked']]) {
    await page.getByRole('radio', {name: label, exact: true}).check();
    const shown = await page.locator('.column:visible').evaluateAll(all => all.map(each => each.className));
    assert.deepEqual(shown, [`column ${column}`]);
  }
  await page.getByRole('radio', {name: 'All'}).check();
  assert.equal(await page.locator('.column:visible').count(), 4);
}

async function keyboard(page) {
  const place = () => page.evaluate(() => {
    const button = document.activeElement.closest('.result');
    return button ? [button.closest('.column').className.split(' ')[1],
      [...button.closest('ol').querySelectorAll('.result')].indexOf(button)] : document.activeElement.id;
  });
  await page.locator('#query').focus();
  await page.keyboard.press('ArrowDown');
  assert.deepEqual(await place(), ['words', 0]);
  await page.keyboard.press('ArrowRight');
  assert.deepEqual(await place(), ['meaning', 0]);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  assert.deepEqual(await place(), ['both', 2]);
  await page.keyboard.press('End');
  assert.deepEqual(await place(), ['both', 9]);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowUp');
  assert.equal(await place(), 'query');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Escape');
  assert.equal(await place(), 'query');
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
  await page.keyboard.press('/');
  assert.equal(await place(), 'query');
  // In the field itself it is a character.
  await page.keyboard.press('End');
  await page.keyboard.press('/');
  assert.ok((await page.locator('#query').inputValue()).endsWith('/'));
  await page.keyboard.press('Backspace');
  await answered(page);
  // The first stop of the page leads past the navigation.
  await page.reload();
  await page.locator('#examples button').first().waitFor();
  const stops = await page.locator('a, button, input').evaluateAll(all => all.slice(0, 1).map(each => each.className));
  assert.deepEqual(stops, ['skip']);
  await page.locator('.skip').focus();
  assert.ok((await page.locator('.skip').boundingBox()).y >= 0);
  await page.keyboard.press('Enter');
  assert.equal(await place(), 'main');
}

async function why(page, name) {
  const result = page.locator('.column:visible .result').first();
  await result.focus();
  await page.keyboard.press('Enter');
  await page.locator('#why .token').first().waitFor();
  const pieces = await page.locator('#why .piece').allTextContents();
  assert.equal(pieces.join('').replaceAll(' ', ''), QUERY.replaceAll(' ', ''));
  for (const number of await page.locator('#why .token .number').all()) {
    assert.match(await visibleText(number), /^([\d.]+\u00a0%|1\u00a0in\u00a0[\d.]+[KMBT]?)$/);
  }
  // What screen readers get of a token has the same numbers in words.
  assert.match(await page.locator('#why .token').first().textContent(), /log p = −?[\d.]+, p = \S+.*, .+× as likely/);
  const first = page.locator('#why .token').first();
  await first.focus();
  assert.match(await page.locator('#why .readout').textContent(), new RegExp(`^${pieces[0]}: log p = `));
  assert.equal(await page.locator('#why .legend li').count(), 5);
  await fits(page, 'why');
  await picture(page, `${name}-why`);
  await page.getByRole('radio', {name: 'What it adds'}).check();
  assert.match(await visibleText(page.locator('#why .token .number').first()), /^(< 0\.1|[\d.,]+)×$/);
  await picture(page, `${name}-why-gain`);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#why').isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.classList.contains('result')), true);
}

async function compare(page, name) {
  await page.getByRole('link', {name: 'Compare'}).click();
  assert.equal(await page.title(), 'Compare · sgpt4j');
  await page.getByRole('button', {name: 'Fill in an example'}).click();
  await page.locator('.heat').waitFor();
  await fits(page, 'compare');
  await picture(page, `${name}-compare`);
  return page.locator('.heat').evaluate(table => {
    const plain = cell => cell.querySelector('.sentence').title;
    return {
      rows: [...table.tBodies[0].rows].map(row => plain(row.cells[0])),
      columns: [...table.tHead.rows[0].cells].slice(1).map(plain),
      values: [...table.tBodies[0].rows].map(row =>
        [...row.cells].slice(1).map(cell => Number(cell.firstChild.data.replace('−', '-')))),
    };
  });
}

async function server(page, name) {
  await page.getByRole('link', {name: 'Server', exact: true}).click();
  await page.waitForFunction(() => {
    const text = id => document.querySelector(`[data-tile=${id}] .value`).textContent;
    return text('queue') === '0' && text('running') === '0' && text('memory').endsWith(' MB')
      && document.querySelector('[data-tile=memory] polyline').getAttribute('points').split(' ').length > 1;
  });
  const facts = await page.locator('#facts').textContent();
  assert.match(facts, /Modelnano/);
  assert.match(facts, /Devicecpu/);
  await fits(page, 'server');
  await picture(page, `${name}-server`);
}

/** Texts that would do something if they were read as HTML. */
async function hostile(page) {
  await page.getByRole('link', {name: 'Search', exact: true}).click();
  await type(page, 'zyxwv <b onmouseover=1>');
  const result = page.locator('.column.words .result').filter({hasText: 'struck'}).first();
  assert.equal(await result.locator('.title').textContent(), '<img src=x onerror="window.struck=\'title\'"> zyxwv');
  assert.match(await result.locator('.text').textContent(), /^<script>window\.struck='text'<\/script><svg onload=/);
  assert.equal(await result.locator('.metadata').textContent(),
    '<i>tags</i> <img src=x onerror="window.struck=\'metadata\'">, b');
  await result.click();
  await page.locator('#why .token').first().waitFor();
  assert.equal(await page.locator('#why .id').textContent(), '<i>hostile</i>');
  assert.equal((await page.locator('#why .piece').allTextContents()).join('').replaceAll(' ', ''),
    'zyxwv<bonmouseover=1>');
  await page.keyboard.press('Escape');
  await page.getByRole('link', {name: 'Compare'}).click();
  await page.getByLabel('Text A').fill('<img src=x onerror="window.struck=1">. Second sentence.');
  await page.getByLabel('Text B').fill('<script>window.struck=2</script>');
  await page.getByRole('button', {name: 'Compare'}).click();
  await page.locator('.heat').filter({hasText: 'struck=2'}).waitFor();
  const harm = await page.evaluate(() => [
    window.struck,
    document.querySelectorAll('main img, main script, main b[onmouseover], main i, dialog img, dialog i, main a').length,
  ]);
  assert.deepEqual(harm.map(value => value ?? null), [null, 0]);
}

await browse(async open => {
  const page = await open({colorScheme: 'light'});
  await typing(page);
  await type(page, QUERY);
  await lateAnswers(page);
  await modes(page);
  await keyboard(page);
  await type(page, QUERY);
  await why(page, 'light');
  seen.heat = await compare(page, 'light');
  await server(page, 'light');
  await hostile(page);

  const dark = await open({colorScheme: 'dark'});
  await dark.goto(task.url);
  await dark.locator('#examples button').first().waitFor();
  await picture(dark, 'dark-empty');
  const light = await dark.evaluate(() =>
    getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number).reduce((a, b) => a + b));
  assert.ok(light < 150, `background of the dark page: ${light} of 765`);
  await type(dark, QUERY);
  await picture(dark, 'dark-search');
  await why(dark, 'dark');
  await compare(dark, 'dark');
  await server(dark, 'dark');

  const phone = await open({
    colorScheme: 'light', viewport: {width: 390, height: 844}, hasTouch: true, isMobile: true, reducedMotion: 'reduce',
  });
  await phone.goto(task.url);
  await phone.locator('#examples button').first().waitFor();
  await fits(phone, 'empty');
  await picture(phone, 'phone-empty');
  await type(phone, QUERY);
  assert.equal(await phone.locator('.column:visible').count(), 1);
  await fits(phone, 'search');
  await picture(phone, 'phone-search');
  await phone.getByRole('radio', {name: 'All'}).check();
  await fits(phone, 'search, all');
  await phone.getByRole('radio', {name: 'Re-ranked'}).check();
  await why(phone, 'phone');
  await compare(phone, 'phone');
  await server(phone, 'phone');
  await phone.getByRole('link', {name: 'Search', exact: true}).click();
  assert.equal(await phone.locator('.result').first().evaluate(result => getComputedStyle(result).transitionDuration), '0s');
});

report(seen);
