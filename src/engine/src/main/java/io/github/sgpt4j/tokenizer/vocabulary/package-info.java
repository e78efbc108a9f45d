/// Tokens and their ids: those of the model, and added tokens, which are cut out of the text first.
package io.github.sgpt4j.tokenizer.vocabulary;
