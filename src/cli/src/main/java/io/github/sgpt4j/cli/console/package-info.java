/// What a command says to people: streams, width, failures as sentences.
package io.github.sgpt4j.cli.console;
