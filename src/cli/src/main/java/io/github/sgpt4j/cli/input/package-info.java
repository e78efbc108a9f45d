/// Input of texts and documents.
package io.github.sgpt4j.cli.input;
