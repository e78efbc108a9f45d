/// Where results go, and in which forms.
package io.github.sgpt4j.cli.output;
