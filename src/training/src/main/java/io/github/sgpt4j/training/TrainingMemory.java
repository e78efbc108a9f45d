package io.github.sgpt4j.training;

/// Memory that a training needs, computed before its first step. Not included: the Java virtual machine, texts and
/// their tokens, and what a device's libraries need.
///
/// @param weights bytes of the weights on each device
/// @param sums bytes of the sums of gradients on each device
/// @param activations most bytes of what is kept for gradients on each device, if all texts have the maximum length
/// @param state bytes of the heap for the trained numbers, their gradients and the optimizer
/// @param copies bytes outside the heap for the values of trained tensors
public record TrainingMemory(long weights, long sums, long activations, long state, long copies) {}
