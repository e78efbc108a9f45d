// Why a document was found: the query's tokens, and how likely the model finds each after the document.

import {ask, isAborted} from './api.js';
import {byId, make, unseen} from './dom.js';

/** Upper ends of the classes of probabilities, and how the legend calls them. */
const PROBABILITIES = [
  [0.0001, 'under 0.01 %'], [0.001, 'to 0.1 %'], [0.01, 'to 1 %'], [0.1, 'to 10 %'], [Infinity, 'over 10 %']];

/** The same for what the document changed, as a factor. */
const FACTORS = [
  [0.5, 'half as likely or less'], [0.8, 'less likely'], [1.25, 'about the same'], [4, 'more likely'],
  [Infinity, '4 times as likely or more']];

const COMPACT = new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 2});

let running = new AbortController();

/** Opens the dialog for a result. `note` is what to know about the re-ranker, if anything. */
export async function explain(query, result, ranks, note) {
  running.abort();
  running = new AbortController();
  const {signal} = running;
  const dialog = byId('why');
  const content = byId('why-content');
  const tokens = make('div', {class: 'evidence'});
  const said = make('p', {class: 'unseen', role: 'status'});
  content.replaceChildren(
    make('article', {class: 'found'},
      result.title ? make('h3', {}, result.title) : null,
      make('p', {class: 'whole-text', tabindex: result.text.length > 400 ? '0' : undefined}, result.text),
      make('p', {class: 'id'}, result.id)),
    scores(result),
    ...(ranks && note ? [make('p', {class: 'caution'}, note)] : []),
    tokens, said);
  dialog.addEventListener('close', () => running.abort(), {once: true});
  if (!dialog.open) {
    dialog.showModal();
  }
  if (!ranks) {
    tokens.append(make('p', {}, 'No model here re-ranks, so nothing can be said about the query’s tokens.'));
    return;
  }
  tokens.append(make('p', {class: 'status'}, 'Asking the model …'));
  const text = result.title ? `${result.title} ${result.text}`.trim() : result.text;
  try {
    const [given, alone] = await Promise.all([
      ask('explain', {query, document: text}, signal),
      ask('explain', {query, document: ''}, signal),
    ]);
    show(tokens, given, alone);
    said.textContent = `On average ${percent(given.relevance_score)} for each of ${given.tokens.length} tokens.`;
  } catch (failure) {
    if (!isAborted(failure)) {
      tokens.replaceChildren(make('p', {class: 'status'}, failure.message));
    }
  }
}

function scores(result) {
  const list = make('dl', {class: 'scores'});
  const add = (name, value, digits) => {
    if (value !== undefined) {
      list.append(make('div', {}, make('dt', {}, name), make('dd', {}, value.toFixed(digits))));
    }
  };
  add('Words (BM25)', result.bm25, 2);
  add('Meaning (similarity)', result.similarity, 3);
  return list;
}

const HINT = 'Point at a token, or tab to it, for its numbers.';

function show(place, given, alone) {
  const list = make('ol', {class: 'tokens', 'aria-label': 'Tokens of the query'});
  const legend = make('ul', {class: 'legend', 'aria-label': 'Legend'});
  const lead = make('p', {class: 'lead'});
  // What screen readers get as part of each token.
  const readout = make('p', {class: 'readout', 'aria-hidden': 'true'}, HINT);
  const choose = gain => {
    lead.textContent = gain
      ? 'How many times as likely each token of your query is after this document as after no document.'
      : 'How likely the model finds each token of your query after this document. The likelier, the better it fits.';
    legend.replaceChildren(...(gain ? FACTORS : PROBABILITIES).map(([, name], step) =>
      make('li', {}, make('span', {class: `swatch ${gain ? 'gain' : 'step'}-${step}`, 'aria-hidden': 'true'}), name)));
    list.replaceChildren(...given.tokens.map((token, i) => item(token, alone.tokens[i], gain, readout)));
  };
  const radio = (name, gain) => make('label', {},
    make('input', {type: 'radio', name: 'evidence', checked: !gain, onchange: () => choose(gain)}),
    make('span', {}, name));
  choose(false);
  place.replaceChildren(
    make('fieldset', {class: 'choices'},
      make('legend', {class: 'unseen'}, 'What the colours show'),
      radio('Probability', false),
      radio('What it adds', true)),
    lead, list, readout, legend,
    make('p', {class: 'total'},
      'On average ', make('strong', {}, percent(given.relevance_score)), ' for a token: the re-ranker’s score. ',
      `Without a document: ${percent(alone.relevance_score)}. `,
      `Sum of the logarithms: ${decimal(given.score)}.`));
}

function item(token, without, gain, readout) {
  const text = token.text.trim() === '' ? '␣' : token.text.trim();
  const log = token.log_probability;
  if (log === null || log === undefined) {
    return make('li', {}, make('span', {class: 'token'},
      make('span', {class: 'piece'}, text), make('span', {class: 'number'}, '–'),
      unseen(': not scored, the query is too long')));
  }
  const probability = Math.exp(log);
  const factor = Math.exp(log - (without?.log_probability ?? log));
  const value = gain ? factor : probability;
  const step = (gain ? FACTORS : PROBABILITIES).findIndex(([end]) => value < end);
  const details = `log p = ${decimal(log)}, p = ${percent(probability)}`
    + `, ${times(factor)} as likely as without the document`;
  const read = () => readout.replaceChildren(make('b', {}, text), `: ${details}`);
  const unread = () => { readout.textContent = HINT; };
  return make('li', {}, make('span',
    {class: 'token', tabindex: '0', onpointerenter: read, onfocus: read, onpointerleave: unread, onblur: unread},
    make('span', {class: `piece ${gain ? 'gain' : 'step'}-${step}`}, text),
    make('span', {class: 'number'}, unseen(': '), gain ? times(factor) : percent(probability)),
    unseen(`. ${details}`)));
}

function percent(probability) {
  // With spaces at which no line breaks.
  if (probability >= 0.001) {
    return `${(100 * probability).toFixed(probability >= 0.1 ? 0 : 1)}\u00a0%`;
  }
  return probability > 0 ? `1\u00a0in\u00a0${COMPACT.format(1 / probability)}` : '0\u00a0%';
}

function times(factor) {
  return factor >= 10 ? `${Math.round(factor).toLocaleString('en')}×`
    : factor >= 0.1 ? `${factor.toFixed(1)}×` : '< 0.1×';
}

function decimal(value) {
  return value.toFixed(2).replace('-', '−');
}
