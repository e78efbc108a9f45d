/// Reads tokenizer.json and the files beside it; keys and types that are not known are refused.
package io.github.sgpt4j.tokenizer.files;
