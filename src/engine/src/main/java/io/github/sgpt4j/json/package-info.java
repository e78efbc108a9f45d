/// Reads untrusted JSON files in bounded memory; errors name file, key, expected and got.
package io.github.sgpt4j.json;
