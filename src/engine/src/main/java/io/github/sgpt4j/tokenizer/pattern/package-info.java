/// Finds matches in text: regular expressions in the syntaxes of Oniguruma and Rust, and scanners for
/// known ones.
package io.github.sgpt4j.tokenizer.pattern;
