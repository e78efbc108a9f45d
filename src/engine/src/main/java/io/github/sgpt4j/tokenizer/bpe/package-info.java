/// Byte-pair encoding of words.
package io.github.sgpt4j.tokenizer.bpe;
