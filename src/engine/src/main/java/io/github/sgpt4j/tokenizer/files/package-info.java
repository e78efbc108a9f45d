/// Reads tokenizer.json and related files; unknown keys and types are refused.
package io.github.sgpt4j.tokenizer.files;
