/// Models by name: found on disk, on a hub or in its cache, with pickled weights converted. Exported to
/// the command line only; others use [io.github.sgpt4j.weightstools.Models].
package io.github.sgpt4j.weightstools.store;
