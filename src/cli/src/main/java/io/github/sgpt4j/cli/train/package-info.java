/// sgpt train.
package io.github.sgpt4j.cli.train;
