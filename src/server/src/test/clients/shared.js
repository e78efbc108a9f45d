// What all scripts need: the task from the command line, requests that are noted, failures as plain data.

/** What a test asks for: addresses of servers, keys, texts. */
export const task = JSON.parse(process.argv[2]);

/** Prints what a script found, for the test to compare. */
export function report(found) {
  process.stdout.write(JSON.stringify(found));
}

/** A `fetch` that notes requests, statuses and times. */
export function noting() {
  const notes = [];
  const noted = async (url, init) => {
    const note = { at: performance.now(), body: typeof init?.body === "string" ? JSON.parse(init.body) : null };
    notes.push(note);
    const response = await fetch(url, init);
    note.status = response.status;
    return response;
  };
  return { fetch: noted, notes };
}

/** Statuses of noted requests in order, and milliseconds between the first and the last of them. */
export function attempts(notes) {
  return { statuses: notes.map((note) => note.status), waited: notes.at(-1).at - notes[0].at };
}

/** What a call that must fail was rejected with. */
export async function failure(call) {
  try {
    await call();
  } catch (error) {
    return {
      class: error.constructor.name,
      status: error.status ?? error.statusCode ?? error.httpResponse?.status ?? null,
      code: error.code ?? null,
      type: error.type ?? null,
      param: error.param ?? null,
      requestId: error.requestID ?? error.httpResponse?.requestId ?? null,
      message: error.message,
      body: error.body ?? error.httpResponse?.body ?? null,
    };
  }
  return { class: "no failure" };
}
