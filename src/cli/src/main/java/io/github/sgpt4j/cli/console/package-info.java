/// Messages to the user: streams, terminal width, failures as sentences.
package io.github.sgpt4j.cli.console;
