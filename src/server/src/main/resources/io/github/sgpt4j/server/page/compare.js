// The similarity of two texts, sentence by sentence, as a table.

import {ask, isAborted} from './api.js';
import {byId, debounced, make, plural, styled, unseen} from './dom.js';

const MOST_SENTENCES = 40;
const TYPING_PAUSE = 600;

const EXAMPLE_A = 'The cat slept on the warm stove. Outside it was snowing. My grandmother read a book.';
const EXAMPLE_B = 'It was cold and white in front of the house. An animal dozed near the oven. '
  + 'The old woman turned a page. Shares fell sharply in Tokyo.';

/** The sentences of a text, in order. */
export function sentences(text) {
  const parts = 'Segmenter' in Intl
    ? [...new Intl.Segmenter(undefined, {granularity: 'sentence'}).segment(text)].map(part => part.segment)
    : text.split(/(?<=[.!?。！？])\s+|\n+/u);
  return parts.map(part => part.trim()).filter(part => part !== '');
}

function cosine(a, b) {
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i];
    squareA += a[i] * a[i];
    squareB += b[i] * b[i];
  }
  const lengths = Math.sqrt(squareA * squareB);
  return lengths > 0 ? product / lengths : 0;
}

function written(value) {
  return value.toFixed(2).replace('-', '−');
}

/** The view of two texts. */
export function compareView() {
  const fields = [byId('text-a'), byId('text-b')];
  const status = byId('compare-status');
  const result = byId('compare-result');
  let running = new AbortController();
  let embeds = false;

  async function compare() {
    running.abort();
    running = new AbortController();
    const {signal} = running;
    const texts = fields.map(field => field.value.trim());
    if (!embeds || texts.includes('')) {
      result.replaceChildren();
      status.textContent = embeds ? 'Two texts are needed.' : '';
      return;
    }
    const all = texts.map(sentences);
    const parts = all.map(list => list.slice(0, MOST_SENTENCES));
    status.textContent = 'Comparing …';
    try {
      const [a, b] = await Promise.all(texts.map((text, i) => ask('embed', {inputs: [text, ...parts[i]]}, signal)));
      if (signal.aborted) {
        return;
      }
      result.replaceChildren(whole(cosine(a[0], b[0])), table(parts, a.slice(1), b.slice(1)), scale());
      status.textContent = all.some(list => list.length > MOST_SENTENCES)
        ? `Only the first ${MOST_SENTENCES} sentences of a text are compared.`
        : `${plural(parts[0].length, 'sentence', 'sentences')} with ${plural(parts[1].length, 'sentence', 'sentences')}.`;
    } catch (failure) {
      if (!isAborted(failure)) {
        result.replaceChildren();
        status.textContent = failure.message;
      }
    }
  }

  function whole(value) {
    return make('p', {class: 'whole'}, 'The texts as wholes: ', make('strong', {}, written(value)));
  }

  function table(parts, a, b) {
    const values = a.map(row => b.map(column => cosine(row, column)));
    const heat = make('table', {class: 'heat'},
      make('caption', {class: 'unseen'}, 'Cosine similarity of each sentence of text A with each sentence of text B'),
      make('thead', {}, make('tr', {},
        make('td', {}),
        ...parts[1].map((text, j) => make('th', {scope: 'col'}, sentence('B', j, text))))),
      make('tbody', {}, ...parts[0].map((text, i) => {
        const best = Math.max(...values[i]);
        return make('tr', {},
          make('th', {scope: 'row'}, sentence('A', i, text)),
          ...values[i].map(value => cell(value, value === best)));
      })));
    return make('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Similarity of sentences'}, heat);
  }

  function sentence(side, index, text) {
    return make('span', {class: 'sentence', title: text}, make('b', {}, `${side}${index + 1} `), text);
  }

  function cell(value, best) {
    const share = Math.min(1, Math.max(0, value));
    const element = make('td', {class: best ? 'best' : undefined},
      written(value), best ? unseen(' (highest of its row)') : null);
    return styled(element, '--share', share.toFixed(3));
  }

  function scale() {
    return make('p', {class: 'scale'},
      '0', make('span', {class: 'ramp', 'aria-hidden': 'true'}), '1', make('span', {class: 'note'},
        'The highest of each row has a frame.'));
  }

  function served(info) {
    embeds = info.capabilities.includes('embed');
    for (const control of byId('compare-form').elements) {
      control.disabled = !embeds;
    }
    status.textContent = embeds ? '' : 'No model of this server embeds texts, so there is nothing to compare with.';
  }

  const soon = debounced(() => {
    if (fields.every(field => field.value.trim() !== '')) {
      compare();
    }
  }, TYPING_PAUSE);
  fields.forEach(field => field.addEventListener('input', soon));
  byId('compare-form').addEventListener('submit', event => {
    event.preventDefault();
    compare();
  });
  byId('compare-example').addEventListener('click', () => {
    [fields[0].value, fields[1].value] = [EXAMPLE_A, EXAMPLE_B];
    compare();
  });

  return {served, visible() {}};
}
