/// Options shared by verbs, and converters for their values.
package io.github.sgpt4j.cli.option;
