/// The verbs, but for search and evaluation.
package io.github.sgpt4j.cli.command;
