/// Searches typed at a terminal: lines, commands that begin with a colon, what they answer.
package io.github.sgpt4j.cli.search.interactive;
