import OpenAI from "openai";
import { attempts, failure, noting, report, task } from "./shared.js";

const { fetch, notes } = noting();
const client = (base, more = {}) =>
  new OpenAI({ baseURL: `${base}/v1`, apiKey: task.key, maxRetries: 0, fetch, ...more });
const openai = client(task.base);
const model = task.model;
const vectors = (answer) => answer.data.map((datum) => datum.embedding);

const usual = await openai.embeddings.create({ model, input: task.texts });
const asked = notes[0].body;
const single = await openai.embeddings.create({ model, input: task.texts[0] });
const float = await openai.embeddings.create({ model, input: task.texts, encoding_format: "float" });
const base64 = await openai.embeddings.create({ model, input: task.texts, encoding_format: "base64" });
const narrow = await openai.embeddings.create({ model, input: task.texts, dimensions: task.dimensions });
const ids = await openai.embeddings.create({ model, input: task.ids });
const query = await openai.embeddings.create({ model: `${model}:query`, input: task.texts });
const typed = await openai.embeddings.create({ model, input: task.texts, input_type: "document" });
const many = await openai.embeddings.create({ model, input: task.many });
const { data, response } = await openai.embeddings.create({ model, input: task.texts }).withResponse();

const listed = [];
for await (const one of openai.models.list()) {
  listed.push(one);
}

const start = notes.length;
const again = await client(task.overloaded, { maxRetries: 2 }).embeddings.create({ model, input: task.texts });
const retry = attempts(notes.slice(start));

report({
  asked,
  usual: vectors(usual),
  order: usual.data.map((datum) => datum.index),
  usage: usual.usage,
  answered: { object: usual.object, model: usual.model, data: usual.data[0].object },
  single: vectors(single),
  float: vectors(float),
  base64: base64.data.map((datum) => datum.embedding),
  narrow: vectors(narrow),
  ids: vectors(ids),
  query: vectors(query),
  typed: vectors(typed),
  many: vectors(many),
  raw: vectors(data),
  tokens: response.headers.get("x-compute-tokens"),
  listed,
  retrieved: await openai.models.retrieve(model),
  retry,
  retried: vectors(again),
  failures: {
    key: await failure(() => client(task.base, { apiKey: "wrong" }).embeddings.create({ model, input: "a" })),
    model: await failure(() => openai.embeddings.create({ model: "unknown", input: "a" })),
    retrieve: await failure(() => openai.models.retrieve("unknown")),
    path: await failure(() => openai.get("/nothing")),
    empty: await failure(() => openai.embeddings.create({ model, input: [] })),
    dimensions: await failure(() => openai.embeddings.create({ model, input: "a", dimensions: 100000 })),
    long: await failure(() => openai.embeddings.create({ model, input: task.long, truncate: false })),
    many: await failure(() => openai.embeddings.create({ model, input: task.tooMany })),
    loading: await failure(() => client(task.loading).embeddings.create({ model, input: "a" })),
  },
});
