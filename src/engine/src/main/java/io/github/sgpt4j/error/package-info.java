/// What this library throws on purpose: one sentence that says what, where, expected and got.
package io.github.sgpt4j.error;
