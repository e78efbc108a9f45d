package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which buffers are dropped, and how names are ordered.
class SmallRulesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "h.0.attn.bias",
                "transformer.h.11.attn.bias",
                "transformer.h.3.attn.attention.bias",
                "gpt_neox.layers.0.attention.bias",
                "attn.bias"
            })
    void masksAreDropped(String name) {
        assertTrue(ComputedBuffers.isOne(name, Shape.of(1, 1, 64, 64)));
        assertFalse(ComputedBuffers.isOne(name, Shape.of(64)), "a bias is a vector");
        assertFalse(ComputedBuffers.isOne(name, Shape.of(1, 1, 64, 32)));
    }

    @Test
    void otherComputedBuffersAreDropped() {
        assertTrue(ComputedBuffers.isOne("h.0.attn.masked_bias", Shape.of()));
        assertTrue(ComputedBuffers.isOne("gpt_neox.layers.0.attention.masked_bias", Shape.of(1)));
        assertTrue(ComputedBuffers.isOne("gpt_neox.layers.0.attention.rotary_emb.inv_freq", Shape.of(16)));
        assertTrue(ComputedBuffers.isOne("model.layers.0.self_attn.rotary_emb.inv_freq", Shape.of(16)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "h.0.attn.c_attn.bias",
                "transformer.h.0.attn.attention.out_proj.bias",
                "gpt_neox.layers.0.attention.dense.bias",
                "myattn.bias",
                "h.0.attn.bias.weight"
            })
    void weightsAreKept(String name) {
        assertFalse(ComputedBuffers.isOne(name, Shape.of(1, 1, 8, 8)));
    }

    @Test
    void namesAreOrderedAsTransformersDoes() {
        List<String> ordered = List.of(
                "gpt_neox.embed_in.weight",
                "gpt_neox.layers.2.a",
                "gpt_neox.layers.10.a",
                "gpt_neox.layers.10.a.b",
                "gpt_neox.layers.a",
                "h.shard",
                "h.shard_2",
                "h.shard_11",
                "embed_out.weight",
                "transformer.wte.weight");
        List<String> names = new ArrayList<>(ordered);
        Collections.shuffle(names, new Random(5));
        names.sort(NaturalOrder.INSTANCE);
        assertEquals(ordered, names);
    }
}
