/// How gradients change parameters: AdamW in 64 bits, clipping, schedules of the learning rate.
package io.github.sgpt4j.training.optimizer;
