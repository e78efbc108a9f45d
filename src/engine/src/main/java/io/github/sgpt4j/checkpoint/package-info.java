/// What a checkpoint's files must hold for the engine, without opening it. Exported to the weights tools only.
package io.github.sgpt4j.checkpoint;
