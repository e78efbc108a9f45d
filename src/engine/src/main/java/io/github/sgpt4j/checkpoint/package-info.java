/// What the engine requires of a checkpoint's files. Exported to the weights tools only.
package io.github.sgpt4j.checkpoint;
