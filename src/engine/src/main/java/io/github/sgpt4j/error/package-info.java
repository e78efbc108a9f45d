/// The library's exceptions: one sentence that says what, where, expected and got.
package io.github.sgpt4j.error;
