/// sgpt search, in memory and in an index.
package io.github.sgpt4j.cli.search;
