/// Models by what users call them: paths, names on the hub, converted checkpoints.
package io.github.sgpt4j.cli.model;
