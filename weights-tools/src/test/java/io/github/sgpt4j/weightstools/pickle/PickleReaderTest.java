package io.github.sgpt4j.weightstools.pickle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Constant;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Dictionary;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Real;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Sequence;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Tensor;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Text;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Tuple;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Whole;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Wide;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The plain data and tensors that the interpreter understands.
class PickleReaderTest {
    static PickleBytes pickle() {
        return new PickleBytes();
    }

    static PickleValue read(PickleBytes pickle) {
        PickleInput input = new PickleInput("test.pkl", MemorySegment.ofArray(pickle.toByteArray()), 0);
        return PickleReader.read(
                input,
                (request, at) -> new StorageView(request.key(), request.type().type(), 0, request.bytes()));
    }

    private static long whole(PickleBytes pickle) {
        return assertInstanceOf(Whole.class, read(pickle.raw("."))).value();
    }

    private static String text(PickleBytes pickle) {
        return assertInstanceOf(Text.class, read(pickle.raw("."))).value();
    }

    private static List<PickleValue> tuple(PickleBytes pickle) {
        return assertInstanceOf(Tuple.class, read(pickle.raw("."))).items();
    }

    private static List<PickleValue> list(PickleBytes pickle) {
        return assertInstanceOf(Sequence.class, read(pickle.raw("."))).items();
    }

    @Test
    void integersOfEveryWidthAreRead() {
        assertEquals(-2, whole(pickle().op('J').i32(-2)));
        assertEquals(255, whole(pickle().op('K', 255)));
        assertEquals(65_535, whole(pickle().op('M', 255, 255)));
        assertEquals(0, whole(pickle().op(0x8a, 0)));
        assertEquals(-1, whole(pickle().op(0x8a, 1, 255)));
        assertEquals(255, whole(pickle().op(0x8a, 2, 255, 0)));
        assertEquals(Long.MIN_VALUE, whole(pickle().whole(Long.MIN_VALUE)));
        assertEquals(77, whole(pickle().op(0x8b).i32(1).op(77)));
        assertEquals(-12, whole(pickle().raw("I-12\n")));
        assertEquals(34, whole(pickle().raw("L34L\n")));
        Wide wide = assertInstanceOf(
                Wide.class, read(pickle().op(0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1).raw(".")));
        assertEquals(BigInteger.ONE.shiftLeft(64), wide.value());
    }

    @Test
    void constantsAreRead() {
        assertSame(Constant.NONE, read(pickle().raw("N.")));
        assertSame(Constant.TRUE, read(pickle().op(0x88).raw(".")));
        assertSame(Constant.FALSE, read(pickle().op(0x89).raw(".")));
        assertSame(Constant.TRUE, read(pickle().raw("I01\n.")));
        assertSame(Constant.FALSE, read(pickle().raw("I00\n.")));
    }

    @Test
    void realNumbersAreRead() {
        assertEquals(
                new Real(1.5),
                read(pickle().op('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0).raw(".")));
        assertEquals(new Real(-2e-3), read(pickle().raw("F-2e-3\n.")));
        assertEquals(new Real(Double.NEGATIVE_INFINITY), read(pickle().raw("F-inf\n.")));
    }

    @Test
    void stringsOfEveryKindAreRead() {
        assertEquals("héllo", text(pickle().text("héllo")));
        assertEquals("ab", text(pickle().op(0x8c, 2).raw("ab")));
        assertEquals("ab", text(pickle().op(0x8d).i64(2).raw("ab")));
        assertEquals("ab", text(pickle().op('T').i32(2).raw("ab")));
        assertEquals("a\u00ff", text(pickle().op('U', 2, 'a', 255)));
        assertEquals("ab", text(pickle().op('B').i32(2).raw("ab")));
        assertEquals("ab", text(pickle().op('C', 2).raw("ab")));
        assertEquals("ab", text(pickle().op(0x8e).i64(2).raw("ab")));
        assertEquals("a'b", text(pickle().raw("S\"a'b\"\n")));
        assertEquals("aé\n", text(pickle().raw("Va\u00e9\\u000a\n")));
        assertEquals("\ud83d\ude00", text(pickle().raw("V\\U0001f600\n")));
    }

    @Test
    void tuplesAndListsAreRead() {
        assertEquals(List.of(), tuple(pickle().raw(")")));
        assertEquals(List.of(new Whole(1)), tuple(pickle().op('K', 1, 0x85)));
        assertEquals(List.of(new Whole(1), new Whole(2)), tuple(pickle().op('K', 1, 'K', 2, 0x86)));
        assertEquals(
                List.of(new Whole(1), new Whole(2), new Whole(3)), tuple(pickle().op('K', 1, 'K', 2, 'K', 3, 0x87)));
        assertEquals(List.of(new Whole(1), new Whole(2)), tuple(pickle().op('(', 'K', 1, 'K', 2, 't')));
        assertEquals(List.of(new Whole(1)), list(pickle().op('(', 'K', 1, 'l')));
        assertEquals(
                List.of(new Whole(1), new Whole(2), new Whole(3)),
                list(pickle().op(']', 'K', 1, 'a', '(', 'K', 2, 'K', 3, 'e')));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "}(X\1\0\0\0aK\1X\1\0\0\0bK\2u.",
                "(X\1\0\0\0aK\1X\1\0\0\0bK\2d.",
                "}X\1\0\0\0aK\1sX\1\0\0\0bK\2s."
            })
    void dictionariesKeepTheirOrder(String latin1) {
        Dictionary dictionary = assertInstanceOf(Dictionary.class, read(pickle().raw(latin1)));
        assertEquals(
                List.of(new Text("a"), new Text("b")),
                List.copyOf(dictionary.entries().keySet()));
        assertEquals(
                List.of(new Whole(1), new Whole(2)),
                List.copyOf(dictionary.entries().values()));
    }

    @Test
    void theLastOfEqualKeysCounts() {
        Dictionary dictionary = assertInstanceOf(
                Dictionary.class,
                read(pickle().raw("}").text("a").op('K', 1, 's').text("a").op('K', 2, 's', '.')));
        assertEquals(new Whole(2), dictionary.entries().get(new Text("a")));
    }

    @ParameterizedTest
    @CsvSource({"q\\x05,h\\x05", "r\\x05\\x00\\x00\\x00,j\\x05\\x00\\x00\\x00", "p5N,g5N", "\\x94,h\\x00"})
    void whatIsRememberedIsRecalled(String put, String get) {
        PickleBytes pickle = pickle().text("a").raw(unescape(put)).raw("0").raw(unescape(get));
        assertEquals("a", text(pickle));
    }

    private static String unescape(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\') {
                plain.append((char) Integer.parseInt(text, i + 2, i + 4, 16));
                i += 3;
            } else {
                plain.append(text.charAt(i) == 'N' ? '\n' : text.charAt(i));
            }
        }
        return plain.toString();
    }

    @Test
    void theStackCanBeTrimmed() {
        assertEquals("a", text(pickle().text("a").text("b").raw("0")));
        assertEquals("a", text(pickle().text("a").raw("(").text("b").text("c").raw("1")));
        assertEquals("a", text(pickle().text("a").raw("(0")));
        assertEquals(
                List.of(new Text("a"), new Text("a")),
                tuple(pickle().text("a").raw("2").op(0x86)));
    }

    @Test
    void framesAndProtocolsUpToFourArePassedOver() {
        for (int version = 0; version <= 4; version++) {
            assertEquals("a", text(pickle().proto(version).text("a")));
        }
        assertEquals("a", text(pickle().proto(4).op(0x95).i64(4).op(0x8c, 1, 'a')));
    }

    @Test
    void orderedDictionariesAreReadInAllForms() {
        for (PickleBytes form : List.of(
                pickle().global("collections", "OrderedDict").raw(")R"),
                pickle().global("collections", "OrderedDict").op(')', 0x81),
                pickle().raw("(icollections\nOrderedDict\n"),
                pickle().raw("(").global("collections", "OrderedDict").raw("o"),
                pickle().text("collections").text("OrderedDict").op(0x93, ')', 'R'))) {
            assertEquals(
                    0,
                    assertInstanceOf(Dictionary.class, read(form.raw(".")))
                            .entries()
                            .size());
        }
        PickleBytes pairs = pickle().global("collections", "OrderedDict")
                .raw("(](](")
                .text("a")
                .op('K', 7, 'e', 'e', 't', 'R');
        assertEquals(
                new Whole(7),
                assertInstanceOf(Dictionary.class, read(pairs.raw(".")))
                        .entries()
                        .get(new Text("a")));
    }

    @Test
    void attributesOfADictionaryArePassedOver() {
        PickleBytes pickle = pickle().global("collections", "OrderedDict")
                .raw(")R}")
                .text("_metadata")
                .raw("Nsb.");
        assertEquals(
                0, assertInstanceOf(Dictionary.class, read(pickle)).entries().size());
    }

    private static TensorView tensor(PickleBytes pickle) {
        return assertInstanceOf(Tensor.class, read(pickle.raw("."))).view();
    }

    @Test
    void tensorsAreReadInAllForms() {
        TensorView second = tensor(pickle().tensor("HalfStorage", "7", 10, 4, new long[] {2, 3}, new long[] {3, 1}));
        assertEquals("7", second.storage().key());
        assertEquals(20, second.storage().bytes());
        assertEquals(ElementType.F16, second.type());
        assertEquals(Shape.of(2, 3), second.shape());
        assertEquals(8, second.start());
        assertEquals(12, second.bytes());

        PickleBytes first = pickle().global("torch._utils", "_rebuild_tensor").raw("(");
        first.storage("LongStorage", "0", 1).whole(0).tuple().tuple().raw("tR");
        assertEquals(Shape.of(), tensor(first).shape());

        PickleBytes third =
                pickle().global("torch._utils", "_rebuild_tensor_v3").raw("(");
        third.raw("(")
                .text("storage")
                .global("torch.storage", "UntypedStorage")
                .text("0")
                .text("cpu")
                .whole(8)
                .raw("tQ");
        third.whole(1)
                .tuple(3)
                .tuple(1)
                .op(0x89)
                .raw("N")
                .global("torch", "uint16")
                .raw("tR");
        assertEquals(ElementType.U16, tensor(third).type());

        PickleBytes parameter =
                pickle().global("torch._utils", "_rebuild_parameter").raw("(");
        parameter
                .tensor("FloatStorage", "0", 1, 0, new long[] {1}, new long[] {1})
                .op(0x88, '}', 't', 'R');
        assertEquals(ElementType.F32, tensor(parameter).type());

        PickleBytes withState =
                pickle().global("torch._utils", "_rebuild_parameter_with_state").raw("(");
        withState
                .tensor("BoolStorage", "0", 1, 0, new long[] {1}, new long[] {1})
                .op(0x88, '}', '}', 't', 'R');
        assertEquals(ElementType.BOOL, tensor(withState).type());
    }

    @Test
    void aSizeIsATuple() {
        assertEquals(
                List.of(new Whole(3)),
                tuple(pickle().global("torch", "Size").raw("(").tuple(3).raw("tR")));
    }

    @ParameterizedTest
    @CsvSource({
        "DoubleStorage,F64", "FloatStorage,F32", "HalfStorage,F16", "BFloat16Storage,BF16", "LongStorage,I64",
        "IntStorage,I32", "ShortStorage,I16", "CharStorage,I8", "ByteStorage,U8", "BoolStorage,BOOL"
    })
    void storagesHaveTheirElementType(String name, ElementType type) {
        TensorView view = tensor(pickle().tensor(name, "0", 3, 0, new long[] {3}, new long[] {1}));
        assertEquals(type, view.type());
        assertEquals(3L * type.bytes(), view.storage().bytes());
    }

    @Test
    void theInputStandsBehindThePickle() {
        PickleInput input = new PickleInput(
                "two.pkl", MemorySegment.ofArray(pickle().raw("K\1.K\2.").toByteArray()), 0);
        assertEquals(new Whole(1), PickleReader.read(input, (request, at) -> null));
        assertEquals(3, input.position());
        assertEquals(new Whole(2), PickleReader.read(input, (request, at) -> null));
    }
}
