/// Lists and maps of numbers and strings without boxing, and the bound on what steps may produce.
package io.github.sgpt4j.tokenizer.collection;
