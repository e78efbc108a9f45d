/// Options that verbs share, and how their values are read.
package io.github.sgpt4j.cli.option;
