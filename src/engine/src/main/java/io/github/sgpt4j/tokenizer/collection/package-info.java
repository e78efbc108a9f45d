/// Lists and maps of numbers and strings without boxing, and the limit on the growth of texts.
package io.github.sgpt4j.tokenizer.collection;
