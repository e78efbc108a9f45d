/// `sgpt serve`.
package io.github.sgpt4j.cli.serve;
