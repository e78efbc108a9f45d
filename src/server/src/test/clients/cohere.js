import { CohereClient, CohereClientV2 } from "cohere-ai";
import { attempts, failure, noting, report, task } from "./shared.js";

const { fetch, notes } = noting();
const options = (base, more) => ({ environment: base, token: task.key, maxRetries: 0, fetch, ...more });
const first = (base, more = {}) => new CohereClient(options(base, more));
const second = (base, more = {}) => new CohereClientV2(options(base, more));
const { model, query, documents } = task;
const objects = documents.map((text) => ({ text }));

async function failures(client) {
  return {
    key: await failure(() => client(task.base, { token: "wrong" }).rerank({ model, query, documents })),
    model: await failure(() => client(task.base).rerank({ model: "unknown", query, documents })),
    empty: await failure(() => client(task.base).rerank({ model, query, documents: [] })),
    top: await failure(() => client(task.base).rerank({ model, query, documents, topN: -1 })),
    many: await failure(() => client(task.base).rerank({ model, query, documents: task.tooMany })),
    loading: await failure(() => client(task.loading).rerank({ model, query, documents })),
  };
}

async function retried(client) {
  const start = notes.length;
  const answer = await client(task.overloaded, { maxRetries: 2 }).rerank({ model, query, documents });
  return { ...attempts(notes.slice(start)), answer };
}

report({
  first: {
    usual: await first(task.base).rerank({ model, query, documents }),
    objects: await first(task.base).rerank({ model, query, documents: objects, topN: 2, returnDocuments: true }),
    paths: await first(`${task.base}/v1`).rerank({ model, query, documents, topN: 1 }),
    failures: await failures(first),
    // One overloaded server for each client, as it recovers after its first refusal.
    retry: await retried(first),
  },
  second: {
    usual: await second(task.base).rerank({ model, query, documents }),
    top: await second(task.base).rerank({ model, query, documents, topN: 2, maxTokensPerDoc: 4096 }),
    failures: await failures(second),
  },
});
