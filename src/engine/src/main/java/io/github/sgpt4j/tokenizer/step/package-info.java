/// The steps around the model: normalizers, pre-tokenizers, post-processors and decoders.
package io.github.sgpt4j.tokenizer.step;
