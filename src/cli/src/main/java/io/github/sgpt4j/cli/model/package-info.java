/// Finding models by the names that users give: paths, names on the hub, converted checkpoints.
package io.github.sgpt4j.cli.model;
