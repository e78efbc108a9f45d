/// Finds matches in text: regular expressions of the Oniguruma and Rust syntaxes, and scanners for known ones.
package io.github.sgpt4j.tokenizer.pattern;
