/// Destinations and formats of results.
package io.github.sgpt4j.cli.output;
