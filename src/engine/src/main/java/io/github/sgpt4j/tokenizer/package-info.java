/// Text to token ids and back: byte-pair encoding from `tokenizer.json`, or from `vocab.json` with `merges.txt`.
package io.github.sgpt4j.tokenizer;
