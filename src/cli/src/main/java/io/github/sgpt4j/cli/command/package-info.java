/// The verbs, except search and evaluation.
package io.github.sgpt4j.cli.command;
